/** Paths taken in charts, compared with the transitions that XState selects. */
import assert from "node:assert/strict";
import { fromMachine } from "../../inspect/chart/from_machine.ts";
import { fromJournal } from "../../inspect/chart/from_journal.ts";
import { tracePath } from "../../inspect/chart/path.ts";
import {
  activeIds,
  entryOf,
  everyPath,
  journalOf,
  request,
  stepsFrom,
  SUBJECTS,
  takeSteps,
} from "./chart_subjects.ts";

const subjects = [
  ...SUBJECTS.filter(({ participants }) => participants.length < 2),
  request("gdpr_access@1", ["a", "b"]),
  request("gdpr_erasure@1", ["a", "b"]),
];

for (const subject of subjects) {
  Deno.test(`${subject.title}: a journal row marks exactly the transitions that XState takes`, () => {
    const { machine } = subject;
    const model = fromMachine(machine);
    const byId = new Map(model.transitions.map((transition) => [transition.id, transition] as const));
    let rows = 0;
    for (const { state } of everyPath(subject)) {
      for (const step of stepsFrom(subject, state)) {
        const entry = entryOf(step);
        const { taken, current, statesOnly } = tracePath(model, [entry]);
        const [first] = [...taken.keys()].map((id) => byId.get(id)!);
        const [expected, another] = machine.getTransitionData(step.before, step.event as never);
        assert.ok(expected && !another);
        const { source, target = [], eventType } = expected;
        const index = [...source.transitions.values()].flat().indexOf(expected as never);
        assert.equal(first?.id, `${source.id} ${index}`, `${eventType} in ${entry.stateBefore}`);
        assert.deepEqual([first.source, first.targets], [source.id, target.map(({ id }) => id)]);
        assert.deepEqual([...taken.values()], entry.transitions!.map(() => 1));
        assert.deepEqual([...current].filter((id) => id !== machine.id).sort(), activeIds(step.after));
        assert.equal(statesOnly, 0);
        rows++;
      }
    }
    assert.ok(rows > 0 || machine.id === "gdpr_rectification@1");
  });
}

Deno.test("states that were exited immediately count as visited", () => {
  const subject = SUBJECTS.find(({ title }) => title.startsWith("gdpr_rectification"))!;
  const model = fromMachine(subject.machine);
  const { visited, taken } = tracePath(model, journalOf(subject, []));
  assert.deepEqual([...visited.keys()].sort(), [
    "gdpr_rectification@1",
    "gdpr_rectification@1.COMPLETED",
    "gdpr_rectification@1.IN_PROGRESS",
    "gdpr_rectification@1.PENDING",
  ]);
  assert.equal(taken.size, 2);
});

Deno.test("the last participant to confirm is shown as confirmed, although no row contains that state", () => {
  for (const known of [true, false]) {
    const subject = request("gdpr_erasure@1", ["a", "b.c"]);
    const journal = journalOf(subject, takeSteps(subject, ["start", "confirm a", "confirm b.c"]));
    const model = known ? fromMachine(subject.machine) : fromJournal(subject.machine.id, journal);
    const { visited, taken } = tracePath(model, journal);
    const waiting = "gdpr_erasure@1.IN_PROGRESS.awaiting_confirmations";
    const lastVisit = (region: string, state: string) => visited.get(`${waiting}.${region}.${state}`) ?? 0;
    for (const region of ["a", "b.c"]) {
      assert.ok(lastVisit(region, "confirmed") > lastVisit(region, "asked"), `${region} ${known}`);
      assert.ok(lastVisit(region, "asked") > 0);
    }
    assert.equal([...taken.values()].reduce((sum, times) => sum + times, 0), 5);
  }
});

Deno.test("a journal without transitions has visited states and no path", () => {
  const subject = request("gdpr_erasure@1", ["a"]);
  const old = journalOf(subject, takeSteps(subject, ["start", "ask a", "confirm a"]))
    .map((entry) => ({ ...entry, transitions: null, times: 3 }));
  for (const model of [fromMachine(subject.machine), fromJournal("gdpr_erasure@1", old)]) {
    const { taken, statesOnly, visited } = tracePath(model, old);
    assert.deepEqual([taken.size, statesOnly], [0, 9], "the creation of a request has no transition");
    assert.ok(visited.has("gdpr_erasure@1.IN_PROGRESS.verifying") || visited.has("IN_PROGRESS.verifying"));
  }
});
