/** Labels of states, events and delays. */
import assert from "node:assert/strict";
import type { AnyStateNode } from "xstate";
import { delayWords, eventWords, sentence, stateWords } from "../../inspect/words.ts";
import { SUBJECTS } from "./chart_subjects.ts";

Deno.test("every state and event of our machines has a readable label", () => {
  for (const { machine, participants } of SUBJECTS) {
    const keys = keysBelow(machine.root).filter((key) => !participants.includes(key));
    for (
      const words of [
        ...keys.map(stateWords),
        ...machine.events.map((type: string) => eventWords(type)),
      ]
    ) {
      assert.match(words, /^[a-z][a-z0-9 ]+$/);
    }
  }
});

function keysBelow(node: AnyStateNode): string[] {
  return Object.values<AnyStateNode>(node.states).flatMap((child) => [child.key, ...keysBelow(child)]);
}

Deno.test("a delay is shown in its largest unit, or by its name", () => {
  assert.equal(delayWords(604_800_000), "after 7 days");
  assert.equal(delayWords(3_600_000), "after 1 hour");
  assert.equal(delayWords("90000"), "after 90 seconds");
  assert.equal(delayWords(0), "after 0 milliseconds");
  assert.equal(delayWords("UNTIL_START"), "when its time has come");
  assert.equal(delayWords("LONG_PAUSE"), "after long pause");
});

Deno.test("XState's own events have labels too", () => {
  assert.equal(eventWords("xstate.after.UNTIL_START.gdpr_erasure@1.PENDING.grace"), "when its time has come");
  assert.equal(eventWords("xstate.after.604800000.gdpr_erasure@1.IN_PROGRESS.a.asked"), "after 7 days");
  assert.equal(eventWords("xstate.done.state.gdpr_erasure@1.IN_PROGRESS"), "when done");
  assert.equal(eventWords("xstate.done.actor.0.upload"), "upload is done");
});

Deno.test("an unknown name is its own label, and a participant's name is not changed", () => {
  assert.equal(stateWords("LONG_GONE"), "long gone");
  assert.equal(eventWords("toString"), "toString");
  assert.equal(stateWords("order-service"), "order-service");
  assert.equal(sentence("order-service"), "order-service");
  assert.equal(sentence("on hold"), "On hold");
});
