/** Labels of states, events and delays. */
import assert from "node:assert/strict";
import type { AnyStateNode } from "xstate";
import { capitalize, delayLabel, eventLabel, stateLabel } from "../../inspect/labels.ts";
import { SUBJECTS } from "./chart_subjects.ts";

Deno.test("every state and event of our machines has a readable label", () => {
  for (const { machine, participants } of SUBJECTS) {
    const keys = keysBelow(machine.root).filter((key) => !participants.includes(key));
    for (
      const words of [
        ...keys.map(stateLabel),
        ...machine.events.map((type: string) => eventLabel(type)),
      ]
    ) {
      assert.match(words, /^[a-z][a-z0-9' ]+$/);
    }
  }
});

function keysBelow(node: AnyStateNode): string[] {
  return Object.values<AnyStateNode>(node.states).flatMap((child) => [child.key, ...keysBelow(child)]);
}

Deno.test("a delay is shown in its largest unit, or by its name", () => {
  assert.equal(delayLabel(604_800_000), "after 7 days");
  assert.equal(delayLabel(3_600_000), "after 1 hour");
  assert.equal(delayLabel("90000"), "after 90 seconds");
  assert.equal(delayLabel(0), "after 0 milliseconds");
  assert.equal(delayLabel("UNTIL_START"), "at the scheduled time");
  assert.equal(delayLabel("LONG_PAUSE"), "after long pause");
});

Deno.test("XState's own events have labels too", () => {
  assert.equal(eventLabel("xstate.after.UNTIL_START.gdpr_erasure@1.PENDING.grace"), "at the scheduled time");
  assert.equal(eventLabel("xstate.after.604800000.gdpr_erasure@1.IN_PROGRESS.a.asked"), "after 7 days");
  assert.equal(eventLabel("xstate.done.state.gdpr_erasure@1.IN_PROGRESS"), "when done");
  assert.equal(eventLabel("xstate.done.actor.0.upload"), "upload is done");
});

Deno.test("an unknown name is its own label, and a participant's name is not changed", () => {
  assert.equal(stateLabel("LONG_GONE"), "long gone");
  assert.equal(eventLabel("toString"), "toString");
  assert.equal(stateLabel("order-service"), "order-service");
  assert.equal(capitalize("order-service"), "order-service");
  assert.equal(capitalize("on hold"), "On hold");
});
