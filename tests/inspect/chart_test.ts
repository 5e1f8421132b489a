/** Charts show every state and transition of a machine, and the current states of an actor. */
import assert from "node:assert/strict";
import { assertLinear } from "../growth.ts";
import type { AnyStateNode } from "xstate";
import { createCharts, type JournalEntry } from "../../inspect/chart/mod.tsx";
import { condense } from "../../inspect/chart/condense.ts";
import { fromMachine } from "../../inspect/chart/from_machine.ts";
import { everyState } from "../../inspect/chart/model.ts";
import {
  activeIds,
  entryOf,
  everyPath,
  initialSnapshot,
  journalOf,
  request,
  type Subject,
  SUBJECTS,
  takeSteps,
} from "./chart_subjects.ts";

const charts = createCharts();
const draw = async ({ machine }: Subject, journal: readonly JournalEntry[], until?: number) =>
  String(
    await charts.render({ machine, name: machine.id, journal, ...(until === undefined ? {} : { until }) }),
  );

function idsBelow(node: AnyStateNode): string[] {
  return Object.values<AnyStateNode>(node.states).flatMap((child) => [child.id, ...idsBelow(child)]);
}

/** Values of an attribute in document order, of the elements that contain the text `where`. */
function all(svg: string, attribute: string, where = ""): string[] {
  const elements = svg.matchAll(/<\w+ [^>]*>/g);
  return [...elements].flatMap(([element]) => {
    const [, value] = new RegExp(` ${attribute}="([^"]*)"`).exec(element) ?? [];
    return value !== undefined && element.includes(where) ? [value] : [];
  });
}

for (const subject of SUBJECTS) {
  const { title, machine } = subject;
  const model = fromMachine(machine);

  Deno.test(`${title}: every state and every transition of the definition is drawn once`, async () => {
    const svg = await draw(subject, journalOf(subject, []));
    const shown = condense(model);
    const states = [...everyState(shown.root)].filter((state) => state !== shown.root);
    assert.deepEqual(all(svg, "data-state").sort(), states.map(({ id }) => id).sort());
    assert.deepEqual(
      states.flatMap(({ representedIds }) => representedIds).sort(),
      idsBelow(machine.root).sort(),
    );
    assert.deepEqual(all(svg, "data-transition").sort(), shown.transitions.map(({ id }) => id).sort());
    assert.deepEqual(
      shown.transitions.flatMap(({ representedIds }) => representedIds).sort(),
      model.transitions.map(({ id }) => id).sort(),
    );
  });

  Deno.test(`${title}: a chart contains no inline styles, scripts or links`, async () => {
    const svg = await draw(subject, journalOf(subject, []));
    assert.doesNotMatch(svg, /\sstyle=|<style|<script|\son\w+=|href=/);
  });

  Deno.test(`${title}: rendering is deterministic`, async () => {
    const journal = journalOf(subject, []);
    const again = await createCharts().render({ machine, name: machine.id, journal });
    assert.equal(String(again), await draw(subject, journal));
  });
}

for (
  const subject of [
    ...SUBJECTS.filter(({ participants }) => participants.length < 3),
    request("gdpr_erasure@1", ["a", "b", "c"]),
  ]
) {
  Deno.test(`${subject.title}: in every reachable state, exactly the active states are highlighted`, async () => {
    let reached = 0;
    const boxes = [...everyState(condense(fromMachine(subject.machine)).root)];
    for (const { state, path } of everyPath(subject)) {
      const svg = await draw(subject, journalOf(subject, path));
      const highlighted = ["current", "open"].flatMap((standing) =>
        all(svg, "data-state", `data-status="${standing}"`)
      );
      const active = activeIds(state);
      const expected = boxes.filter(({ representedIds }) => representedIds.some((id) => active.includes(id)));
      assert.deepEqual(highlighted.sort(), expected.map(({ id }) => id).sort());
      const leaves = all(svg, "data-state", 'data-status="current"');
      assert.equal(svg.match(/<g class="now">/g)?.length, leaves.length, "one label for each current state");
      reached++;
    }
    assert.ok(reached >= (subject.machine.id.startsWith("gdpr_rect") ? 1 : 2));
  });
}

Deno.test("the path taken is marked, and states that were never entered are not", async () => {
  const subject = request("gdpr_erasure@1", ["order-service", "payment-service"]);
  const path = takeSteps(subject, [
    "hold",
    "release",
    "start",
    "at-risk",
    "confirm order-service",
    "week payment-service",
  ]);
  const svg = await draw(subject, journalOf(subject, path));
  const short = (id: string) => id.replace(/.*\.(?=\w+$)/, "");
  assert.deepEqual(all(svg, "data-state", 'data-status="visited"').map(short).sort(), [
    "PENDING",
    "asked",
    "grace",
    "held",
    "opened",
  ]);
  assert.deepEqual(all(svg, "data-state", 'data-status="never"').map(short).sort(), [
    "COMPLETED",
    "identifying",
    "proposed",
    "residue_found",
    "verifying",
    "waiting_for_access",
    "waiting_for_download",
    "waiting_for_information",
    "waived",
    "waiver_proposed",
  ]);
  const arrows = all(svg, "data-arrow", 'class="arrow taken').filter((id) => id.includes("→"));
  assert.deepEqual(arrows.map((id) => id.split(" → ").map(short).join(" → ")), [
    "opened → grace",
    "grace → held",
    "grace → IN_PROGRESS",
    "held → grace",
    "asked → confirmed",
    "asked → overdue",
  ]);
  assert.equal(all(svg, "data-transition", 'class="line taken"').length, 2, "due date near, and overdue");
});

Deno.test("a folded chart hides the groups that the request is not in, and fits on one screen", async () => {
  const subject = request("gdpr_erasure@1", ["order-service", "payment-service", "mail-service"]);
  const steps = takeSteps(subject, ["start", "confirm order-service"]);
  const sizes: number[] = [];
  for (
    const { taken, active, hidden } of [
      { taken: steps.slice(0, 0), active: "gdpr_erasure@1.PENDING.grace", hidden: "verifying" },
      { taken: steps, active: "gdpr_erasure@1.IN_PROGRESS.verifying", hidden: "PENDING.grace" },
    ]
  ) {
    const journal = journalOf(subject, taken);
    const { machine } = subject;
    const svg = String(await charts.render({ machine, name: machine.id, journal, isFolded: true }));
    const drawn = all(svg, "data-state");
    assert.ok(drawn.includes(active), `${active} is not in ${drawn.join(", ")}`);
    assert.ok(!drawn.some((id) => id.endsWith(hidden)), hidden);
    assert.match(svg, />\d states inside</);
    const [, width, height] = /<svg [^>]*width="(\d+)" height="(\d+)"/.exec(svg)!;
    sizes.push(Number(width), Number(height));
    const outline = svg.slice(svg.indexOf("chart-words"));
    assert.ok(outline.includes("Grace period") && outline.includes("Remaining data found"), "text has all");
  }
  assert.ok(Math.max(...sizes) < 1920, sizes.join(", "));
});

Deno.test("the steps that can come next say whether they happen by themselves", async () => {
  const subject = request("gdpr_erasure@1", ["order-service", "payment-service"]);
  const { machine } = subject;
  const nextOf = (words: readonly string[]) =>
    charts.describe({ machine, name: machine.id, journal: journalOf(subject, takeSteps(subject, words)) })
      .next.map(({ from, label, target, mover }) => [from.join(" "), label, target, mover].join("|"));
  assert.deepEqual(nextOf([]), [
    "|customer changed|Completed|itself",
    "|customer changed|On hold|itself",
    "|at the scheduled time|Completed|itself",
    "|at the scheduled time|On hold|itself",
    "|at the scheduled time|Waiting for an access request|itself",
    "|at the scheduled time|Waiting for a download|itself",
    "|at the scheduled time|In progress|itself",
    "|canceled|Completed|customer or staff",
    "|refused|Completed|staff",
    "|put on hold|On hold|staff",
  ]);
  assert.deepEqual(nextOf(["start", "confirm order-service"]), [
    "|when all are done|Scanning for remaining data|itself",
    "payment-service|confirmed|Confirmed|participant",
    "payment-service|waived|Waiver waits for a second person|staff",
    "payment-service|waived|Waived|staff",
  ]);
  assert.deepEqual(nextOf(["cancel"]), []);
  const svg = await draw(subject, journalOf(subject, takeSteps(subject, ["start", "confirm order-service"])));
  assert.match(svg, /class="arrow next itself" data-arrow="[^"]*→ [^"]*verifying"/);
  assert.match(svg, /class="arrow taken next waits" data-arrow="[^"]*asked → [^"]*confirmed"/);
  assert.match(svg, /can come next, by the service&#39;s answer/);
});

Deno.test("the chart of a past event equals the chart at that time", async () => {
  const subject = request("gdpr_erasure@1", ["order-service"]);
  const path = takeSteps(subject, ["start", "confirm order-service", "verified-1", "retry", "verified-0"]);
  const whole = journalOf(subject, path);
  for (let until = 1; until <= whole.length; until++) {
    const prefix = await draw(subject, whole.slice(0, until));
    assert.equal(await draw(subject, whole, until), prefix);
  }
  assert.notEqual(await draw(subject, whole, 3), await draw(subject, whole));
});

Deno.test("twenty participants share one region with counts, and each is listed with its state", async () => {
  const subject = SUBJECTS.find(({ title }) => title === "gdpr_erasure@1 with 20")!;
  const [one = "", two = "", three = "", ...rest] = subject.participants;
  const path = takeSteps(subject, ["start", `confirm ${one}`, `waive ${two}`, `week ${three}`]);
  const svg = await draw(subject, journalOf(subject, path));
  const leaves = all(svg, "data-leaf").map((id) => id.split(".").slice(-2).join(" "));
  assert.deepEqual(leaves, [
    `${one} confirmed`,
    `${two} waived`,
    `${three} overdue`,
    ...rest.map((participant) => `${participant} asked`),
  ]);
  for (const label of ["17 now", "1 now", "1 done"]) assert.ok(svg.includes(`>${label}</text>`), label);
  const [width = "", height = ""] = [...svg.matchAll(/<svg [^>]*width="(\d+)" height="(\d+)"/g)][0]!.slice(1);
  assert.ok(Number(width) < 2500 && Number(height) < 2300, `${width} × ${height}`);
});

Deno.test("the text version of a chart contains what the drawing shows", async () => {
  const subject = request("gdpr_erasure@1", ["order-service"]);
  const svg = await draw(subject, journalOf(subject, takeSteps(subject, ["start", "week order-service"])));
  const words = svg.slice(svg.indexOf("<details>")).replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");
  assert.match(words, /Pending : visited/);
  assert.match(words, /order-service : contains the current state Asked : visited/);
  assert.match(words, /→ Overdue \(taken once\)/);
  assert.match(words, /Overdue : current/);
  assert.equal(svg.match(/aria-current="step"/g)?.length, 1);
});

Deno.test("transitions are counted for each participant, also if participants share a region", async () => {
  const subject = request("gdpr_erasure@1", ["order-service", "payment-service"]);
  const retries = ["ask order-service", "ask order-service"];
  const journal = journalOf(
    subject,
    takeSteps(subject, ["start", ...retries, "confirm payment-service", ...retries]),
  );
  const svg = await draw(subject, journal);
  assert.match(svg, /asked again \(participant\.asked_again\), conditional: taken 4 ×</);
  assert.match(svg, /asked again(?: ◇)? ×4</);
  assert.match(svg, /asked again \(participant\.asked_again\), conditional: not taken</);
  assert.match(svg, /\(taken 4 times\)/);
  assert.doesNotMatch(svg, /chart-notice/);
});

Deno.test("rows without transitions show their states only, and a notice counts them", async () => {
  const subject = request("gdpr_erasure@1", ["order-service", "payment-service"]);
  const whole = journalOf(
    subject,
    takeSteps(subject, ["hold", "release", "start", "confirm payment-service"]),
  );
  const old = whole.map((entry) => entry.sequence < 4 ? { ...entry, transitions: null } : entry);
  const svg = await draw(subject, old);
  assert.match(svg, /An earlier version recorded 2 events without transitions\./);
  const short = (id: string) => id.replace(/.*\.(?=\w+$)/, "");
  assert.deepEqual(all(svg, "data-state", 'data-status="visited"').map(short).sort(), [
    "PENDING",
    "grace",
    "held",
  ]);
  const arrows = all(svg, "data-arrow", 'class="arrow taken').filter((id) => id.includes("→"));
  assert.deepEqual(arrows.map((id) => id.split(" → ").map(short).join(" → ")), [
    "grace → IN_PROGRESS",
    "asked → confirmed",
  ]);
});

Deno.test("an unknown machine is drawn from its journal", async () => {
  const subject = request("gdpr_erasure@1", ["order-service", "payment-service"]);
  const path = takeSteps(subject, ["hold", "release", "start", "confirm order-service"]);
  const journal = journalOf(subject, path);
  const render = async (until?: number) =>
    String(
      await charts.render({
        machine: undefined,
        name: "gdpr_erasure@9",
        journal,
        ...(until ? { until } : {}),
      }),
    );
  const svg = await render();
  assert.match(svg, /does not know the machine gdpr_erasure@9/);
  const short = (id: string) => id.split(".").slice(1).join(" ");
  assert.deepEqual(all(svg, "data-state", 'data-status="current"').map(short), [
    "IN_PROGRESS awaiting_confirmations order-service confirmed",
    "IN_PROGRESS awaiting_confirmations payment-service asked",
  ]);
  assert.equal(all(svg, "data-arrow", 'class="arrow taken"').length, 5);
  assert.deepEqual(all(await render(2), "data-state", 'data-status="current"').map(short), [
    "PENDING held",
  ]);
});

Deno.test("a state that the machine does not have is shown with its name in the journal", async () => {
  const subject = request("gdpr_erasure@1", ["order-service"]);
  const [creation] = journalOf(subject, []);
  for (
    const stateAfter of [
      '{"PENDING":"asleep"}',
      '{"PENDING":',
      "[]",
      '{"PENDING":{"grace":7}}',
      "__proto__",
      "{}",
      "a<b>",
    ]
  ) {
    const journal = [creation!, {
      sequence: 2,
      eventType: "lull",
      stateBefore: creation!.stateAfter,
      stateAfter,
      transitions: ["PENDING.grace -> PENDING.asleep"],
    }];
    for (const machine of [subject.machine, undefined]) {
      const svg = String(await charts.render({ machine, name: "gdpr_erasure@1", journal }));
      assert.ok(svg.includes("<svg "), stateAfter);
      if (stateAfter.includes("asleep") && machine) assert.match(svg, /does not have: PENDING\.asleep/);
      assert.ok(!svg.includes("<b>"));
    }
  }
});

Deno.test("a journal of ten thousand events is drawn in linear time, and an empty one is drawn", async () => {
  const subject = SUBJECTS.find(({ title }) => title === "gdpr_erasure@1 with 20")!;
  const [start] = takeSteps(subject, ["start"]);
  const askedAgain = takeSteps(subject, ["start", "ask service-3"])[1]!;
  const journal = [entryOf({ ...start!, before: initialSnapshot(subject) }, 1)];
  for (let sequence = 2; sequence <= 10_000; sequence++) journal.push(entryOf(askedAgain, sequence));
  const svg = await draw(subject, journal);
  await assertLinear("a chart's journal", 1_250, (size) => {
    const part = journal.slice(0, size);
    return () => draw(subject, part);
  });
  assert.equal(all(svg, "data-leaf").length, 20);
  assert.equal(all(await draw(subject, []), "data-state", 'data-status="current"').length, 0);
});
