/** Transition names: the runtime's pure functions return what XState's return, and the names of the transitions. */
import assert from "node:assert/strict";
import * as xstate from "xstate";
import { initialTransition, transition } from "../../actors/runtime/transitions.ts";
import { everyPath, request, stepsFrom, SUBJECTS } from "../inspect/chart_subjects.ts";

const { createMachine } = xstate;

const subjects = [
  ...SUBJECTS.filter(({ participants }) => participants.length < 2),
  request("gdpr_access@1", ["a", "b"]),
  request("gdpr_erasure@1", ["a", "b"]),
];

for (const subject of subjects) {
  Deno.test(`${subject.title}: snapshots and actions equal those of XState's transition`, () => {
    const { machine } = subject;
    let steps = 0;
    for (const { state } of everyPath(subject)) {
      for (const { before, event } of stepsFrom(subject, state)) {
        const [after, actions] = xstate.transition(machine, before, event);
        const result = transition(machine, before, event);
        assert.deepEqual([result.snapshot.value, result.snapshot.context], [after.value, after.context]);
        assert.equal(result.snapshot.status, after.status);
        assert.deepEqual(result.actions, actions.map(({ type, params }) => ({ type, params })));
        assert.ok(result.transitions.length > 0, event.type);
        steps++;
      }
    }
    assert.ok(steps > 0 || machine.id === "gdpr_rectification@1");
  });
}

Deno.test("eventless transitions at the start are named, entering the initial states is not", () => {
  const { machine } = request("gdpr_rectification@1", []);
  assert.deepEqual(initialTransition(machine, { participants: [] }).transitions, [
    "PENDING -> IN_PROGRESS",
    "IN_PROGRESS -> COMPLETED",
  ]);
  const erasure = request("gdpr_erasure@1", []).machine;
  assert.deepEqual(initialTransition(erasure, { participants: [], startsAt: 0 }).transitions, [
    "PENDING.opened -> PENDING.grace",
  ]);
});

Deno.test("the last region to finish completes its parent state in the same step", () => {
  const { machine, participants } = request("gdpr_erasure@1", ["orders"]);
  const waiting = machine.resolveState({
    value: { IN_PROGRESS: { awaiting_confirmations: { orders: "asked" } } },
    context: { participants, attempts: {}, waived: [], proposals: {} },
  });
  const confirmed = { type: "participant.confirm", service: "orders" };
  assert.deepEqual(transition(machine, waiting, confirmed).transitions, [
    "IN_PROGRESS.awaiting_confirmations.orders.asked -> IN_PROGRESS.awaiting_confirmations.orders.confirmed",
    "IN_PROGRESS.awaiting_confirmations -> IN_PROGRESS.verifying",
  ]);
});

Deno.test("a transition of a state takes precedence over one of its parent state", () => {
  const machine = createMachine({
    id: "nested",
    initial: "outer",
    states: {
      outer: { initial: "inner", on: { GO: "out" }, states: { inner: { on: { GO: "#out" } } } },
      out: { id: "out" },
    },
  });
  const { snapshot } = initialTransition(machine, undefined);
  assert.deepEqual(transition(machine, snapshot, { type: "GO" }).transitions, ["outer.inner -> out"]);
});

Deno.test("an event that several regions accept has a transition in each", () => {
  const off = { initial: "off", states: { off: { on: { SWITCH: "on" } }, on: {} } };
  const machine = createMachine({ id: "both", type: "parallel", states: { left: off, right: off } });
  const { snapshot } = initialTransition(machine, undefined);
  assert.deepEqual(transition(machine, snapshot, { type: "SWITCH" }).transitions, [
    "left.off -> left.on",
    "right.off -> right.on",
  ]);
});

Deno.test("a transition of the root has the machine's ID as its source, and one with several targets names all", () => {
  const region = { initial: "one", states: { one: {}, two: {} } };
  const machine = createMachine({
    id: "whole",
    type: "parallel",
    states: { left: region, right: region },
    on: { MOVE: { target: [".left.two", ".right.two"] }, STAY: { actions: [] }, LEAVE: {} },
  });
  const { snapshot } = initialTransition(machine, undefined);
  assert.deepEqual(transition(machine, snapshot, { type: "MOVE" }).transitions, [
    "whole -> left.two, right.two",
  ]);
  assert.deepEqual(transition(machine, snapshot, { type: "STAY" }).transitions, ["whole"]);
});
