/** Request machines: compared with tables of transitions, and walked on real rows. */
import assert from "node:assert/strict";
import { transition } from "xstate";
import { machineOf } from "../../actors/gdpr/requests/snapshot.ts";
import { coveringPaths, MACHINES_UNDER_TEST, nameOf } from "./machine_paths.ts";
import { assertTableOnRows, assertWalks } from "./machine_rows.ts";
import { eventLabels, eventOf } from "./request_events.ts";

for (const subject of MACHINES_UNDER_TEST) {
  const { title, id, states, rows, one: [service = ""] } = subject;
  const machine = machineOf(id, subject.one);

  Deno.test(`${title} has exactly the states of the table, in PENDING, IN_PROGRESS and COMPLETED`, () => {
    assert.deepEqual([...states.keys()].sort(), Object.keys(rows).sort());
    assert.deepEqual(Object.keys(machine.root.states), ["PENDING", "IN_PROGRESS", "COMPLETED"]);
  });

  Deno.test(`${title} accepts in each state the events of the table, and no others`, () => {
    for (const [name, { state }] of states) {
      for (const label of eventLabels([service, "stranger"], id)) {
        const event = eventOf(label, id, state.context);
        const expected = rows[name]?.[label];
        const accepted = state.status === "active" && state.can(event);
        assert.equal(accepted, expected !== undefined, `${label} in ${name}`);
        if (!accepted) continue;
        const [after] = transition(machine, state, event);
        assert.equal(nameOf(after), expected || name, `${label} in ${name}`);
      }
    }
  });
}

// machine_long_test.ts walks the other machines, which share these tables, and every path.
const ON_ROWS = ["an unidentified gdpr_erasure@1"];

for (const subject of MACHINES_UNDER_TEST.filter(({ title }) => ON_ROWS.includes(title))) {
  Deno.test(`${subject.title} on rows: each state accepts the events of the table, and others change nothing`, () =>
    assertTableOnRows(subject));
}

for (const subject of MACHINES_UNDER_TEST) {
  Deno.test(`${subject.title} on rows: the invariants hold after each event in each phase`, () =>
    assertWalks(subject, coveringPaths(subject)));
}
