/** The way that a chart shows, compared with the transitions that XState itself selects. */
import assert from "node:assert/strict";
import { fromMachine } from "../../inspect/chart/from_machine.ts";
import { fromJournal } from "../../inspect/chart/from_journal.ts";
import { tracePath } from "../../inspect/chart/path.ts";
import { activeIds, entryOf, everyWay, go, journalOf, request, stepsFrom, SUBJECTS } from "./chart_story.ts";

const subjects = [
  ...SUBJECTS.filter(({ services }) => services.length < 2),
  request("gdpr_access@1", ["a", "b"]),
  request("gdpr_erasure@1", ["a", "b"]),
];

for (const subject of subjects) {
  Deno.test(`${subject.title}: a row draws the very transitions that XState takes`, () => {
    const { machine } = subject;
    const model = fromMachine(machine);
    const byId = new Map(model.transitions.map((transition) => [transition.id, transition] as const));
    let rows = 0;
    for (const { state } of everyWay(subject)) {
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

Deno.test("states that were left at once have been visited", () => {
  const machine = SUBJECTS.find(({ title }) => title.startsWith("gdpr_rectification"))!;
  const model = fromMachine(machine.machine);
  const { visited, taken } = tracePath(model, journalOf(machine, []));
  assert.deepEqual([...visited.keys()].sort(), [
    "gdpr_rectification@1",
    "gdpr_rectification@1.COMPLETED",
    "gdpr_rectification@1.IN_PROGRESS",
    "gdpr_rectification@1.PENDING",
  ]);
  assert.equal(taken.size, 2);
});

Deno.test("the participant that confirms last has confirmed, although its state is in no row", () => {
  for (const known of [true, false]) {
    const subject = request("gdpr_erasure@1", ["a", "b.c"]);
    const journal = journalOf(subject, go(subject, ["start", "confirm a", "confirm b.c"]));
    const model = known ? fromMachine(subject.machine) : fromJournal(subject.machine.id, journal);
    const { visited, taken } = tracePath(model, journal);
    const waiting = "gdpr_erasure@1.IN_PROGRESS.awaiting_confirmations";
    const last = (region: string, state: string) => visited.get(`${waiting}.${region}.${state}`) ?? 0;
    for (const region of ["a", "b.c"]) {
      assert.ok(last(region, "confirmed") > last(region, "asked"), `${region} ${known}`);
      assert.ok(last(region, "asked") > 0);
    }
    assert.equal([...taken.values()].reduce((sum, times) => sum + times, 0), 4);
  }
});

Deno.test("a journal without transitions has states and no way between them", () => {
  const subject = request("gdpr_erasure@1", ["a"]);
  const old = journalOf(subject, go(subject, ["start", "ask a", "confirm a"]))
    .map((entry) => ({ ...entry, transitions: null, times: 3 }));
  for (const model of [fromMachine(subject.machine), fromJournal("gdpr_erasure@1", old)]) {
    const { taken, statesOnly, visited } = tracePath(model, old);
    assert.deepEqual([taken.size, statesOnly], [0, 9], "the event that made the request has no transition");
    assert.ok(visited.has("gdpr_erasure@1.IN_PROGRESS.verifying") || visited.has("IN_PROGRESS.verifying"));
  }
});
