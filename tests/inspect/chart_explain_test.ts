/** Which transitions a row of the journal stands for: held against what XState itself takes. */
import assert from "node:assert/strict";
import { createMachine, initialTransition, transition } from "xstate";
import { describe } from "../../inspect/chart/describe.ts";
import { explainer } from "../../inspect/chart/explain.ts";
import type { Transition } from "../../inspect/chart/model.ts";
import { activeIds, entryOf, everyWay, request, stepsFrom, SUBJECTS } from "./chart_story.ts";

const subjects = [
  ...SUBJECTS.filter(({ services }) => services.length < 2),
  request("gdpr_access@1", ["a", "b"]),
];

for (const subject of [...subjects, request("gdpr_erasure@1", ["a", "b"])]) {
  Deno.test(`${subject.title}: a row is explained by the very transitions that XState takes`, () => {
    const { machine } = subject;
    const model = describe(machine);
    const explain = explainer(model);
    const byId = new Map(model.transitions.map((transition) => [transition.id, transition] as const));
    let rows = 0;
    for (const { state } of everyWay(subject)) {
      for (const step of stepsFrom(subject, state)) {
        const { taken, through } = explain(entryOf(step));
        const expected = machine.getTransitionData(step.before, step.event as never);
        const first = taken.slice(0, 1).map((id) => sketch(byId.get(id)!));
        const moved = entryOf(step).stateBefore !== entryOf(step).stateAfter;
        // Where two participants stand alike, a row that changes nothing does not say whose it is.
        if (moved || subject.services.length < 2 || taken.length > 0) {
          assert.deepEqual(
            first,
            expected.map((definition) => ({
              source: definition.source.id,
              event: definition.eventType,
              targets: (definition.target ?? []).map(({ id }) => id),
            })),
          );
        }
        assert.deepEqual(
          [...through.at(-1)!].filter((id) => id !== machine.id).sort(),
          activeIds(step.after),
        );
        rows++;
      }
    }
    assert.ok(rows > 0 || machine.id === "gdpr_rectification@1");
  });
}

Deno.test("what follows at once is part of the way, from the very beginning", () => {
  const machine = SUBJECTS.find(({ title }) => title.startsWith("gdpr_rectification"))!.machine;
  const { taken, through } = explainer(describe(machine))({
    sequence: 1,
    eventType: "open",
    stateBefore: null,
    stateAfter: "COMPLETED",
  });
  assert.equal(taken.length, 2);
  assert.deepEqual(through.map((active) => [...active].at(-1)), [
    "gdpr_rectification@1.PENDING",
    "gdpr_rectification@1.IN_PROGRESS",
    "gdpr_rectification@1.COMPLETED",
  ]);
});

Deno.test("the last confirmation ends the waiting in the same row", () => {
  const subject = request("gdpr_erasure@1", ["a"]);
  const explain = explainer(describe(subject.machine));
  const confirmed = [...everyWay(subject)].flatMap(({ state }) => stepsFrom(subject, state))
    .find(({ event }) => event.type === "participant.confirm");
  const { taken, through } = explain(entryOf(confirmed!));
  assert.equal(taken.length, 2);
  assert.ok([...through[0]!].some((id) => id.endsWith("a.confirmed")));
});

Deno.test("a state's own transition goes before that of the state around it", () => {
  const machine = createMachine({
    id: "nested",
    initial: "outer",
    states: {
      outer: { initial: "inner", on: { GO: "out" }, states: { inner: { on: { GO: "#out" } } } },
      out: { id: "out" },
    },
  });
  const [before] = initialTransition(machine);
  const [after] = transition(machine, before, { type: "GO" });
  const { taken } = explainer(describe(machine))(entryOf({ before, event: { type: "GO" }, after }));
  assert.deepEqual(taken, ["nested.outer.inner 0"]);
});

Deno.test("one event that moves several regions is every region's transition", () => {
  const machine = createMachine({
    id: "both",
    type: "parallel",
    states: {
      left: { initial: "off", states: { off: { on: { SWITCH: "on" } }, on: {} } },
      right: { initial: "off", states: { off: { on: { SWITCH: "on" } }, on: {} } },
    },
  });
  const [before] = initialTransition(machine);
  const [after] = transition(machine, before, { type: "SWITCH" });
  const { taken } = explainer(describe(machine))(entryOf({ before, event: { type: "SWITCH" }, after }));
  assert.equal(taken.length, 2);
});

function sketch({ source, event, targets }: Transition) {
  return { source, event, targets };
}
