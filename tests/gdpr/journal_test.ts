/** Journal of complete requests: public event names, the participant of each event, and the transitions taken. */
import assert from "node:assert/strict";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import { publicEvent, publicRow } from "../../actors/gdpr/requests/public_events.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { findJournal } from "../../db/actor_events.ts";
import { readStore } from "../../db/store_reader.ts";
import { register } from "../actors/world.ts";
import { SUBJECTS } from "../inspect/chart_subjects.ts";
import { createManualClockWorld, DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";
import { eventLabels, eventOf, timerName } from "./request_events.ts";
import { createRequestFixture } from "./request_fixture.ts";

const PARTICIPANTS = ["orders", "payments"];

/** Event name, participant and transitions of each stored row. */
async function journalOf(world: ManualClockWorld, { storeId, id }: ActorRef) {
  const key = { storeId, actorKind: "gdpr_request", actorId: id };
  const rows = await readStore(
    world.database.pool("customer_api", 1),
    storeId,
    (sql) => findJournal(sql, key, { limit: 100 }),
  );
  return rows.map(({ eventType, about, transitions }) => [eventType, about, ...transitions ?? ["unknown"]]);
}

Deno.test("an erasure's journal names every event, its participant and the transitions taken", async () => {
  await using world = await createManualClockWorld({ graceMs: 2 * DAY, participants: PARTICIPANTS });
  const fixture = createRequestFixture(world);
  const request = await fixture.open(await register(world), "ERASURE");
  const timer = (label: string) => fireTimer(world, request, timerName(label, "gdpr_erasure@1"));
  await fixture.tell(request, "hold", { ground: "LEGAL_CLAIM", reason: "a lawsuit" });
  await fixture.tell(request, "release");
  await timer("start");
  await timer("ask payments");
  await fixture.tell(request, "participant.confirm", { service: "orders" });
  await timer("week payments");
  await timer("ask payments");
  await fixture.tell(request, "retry", { service: "payments" });
  await timer("at-risk");
  await timer("overdue");
  await fixture.tell(request, "participant.confirm", { service: "payments" });
  await fixture.tell(request, "verified", { residue: 1 });
  await fixture.tell(request, "retry");
  await fixture.tell(request, "verified", { residue: 0 });
  const waiting = "IN_PROGRESS.awaiting_confirmations";
  assert.deepEqual(await journalOf(world, request), [
    ["open", null, "PENDING.opened -> PENDING.grace"],
    ["hold", null, "PENDING.grace -> PENDING.held"],
    ["release", null, "PENDING.held -> PENDING.grace"],
    ["grace.ended", null, "PENDING.grace -> IN_PROGRESS"],
    ["participant.asked_again", "payments", `${waiting}.payments.asked`],
    ["participant.confirm", "orders", `${waiting}.orders.asked -> ${waiting}.orders.confirmed`],
    [
      "participant.overdue",
      "payments",
      `${waiting}.payments.asked`,
      `${waiting}.payments.asked -> ${waiting}.payments.overdue`,
    ],
    ["participant.asked_again", "payments", `${waiting}.payments.overdue`],
    ["retry", "payments", `${waiting}.payments.overdue`],
    ["clock.at_risk", null, "IN_PROGRESS"],
    ["clock.overdue", null, "IN_PROGRESS"],
    [
      "participant.confirm",
      "payments",
      `${waiting}.payments.overdue -> ${waiting}.payments.confirmed`,
      `${waiting} -> IN_PROGRESS.verifying`,
    ],
    ["verified", null, "IN_PROGRESS.verifying -> IN_PROGRESS.residue_found"],
    ["retry", null, "IN_PROGRESS.residue_found -> IN_PROGRESS.verifying"],
    ["verified", null, "IN_PROGRESS.verifying -> COMPLETED"],
  ]);
});

Deno.test("an access request's journal names every event, its participant and the transitions taken", async () => {
  await using world = await createManualClockWorld({ participants: PARTICIPANTS });
  const fixture = createRequestFixture(world);
  const request = await fixture.open(await register(world), "ACCESS");
  await fireTimer(world, request, timerName("start", "gdpr_access@1"));
  await fixture.tell(request, "source.received", { service: OWN_DATA });
  await fixture.tell(request, "source.failed", { service: "payments", error: "UNREACHABLE" });
  await fireTimer(world, request, "ask payments");
  await fixture.tell(request, "waive", { service: "orders", reason: "it has been shut down" });
  await fixture.tell(request, "source.received", { service: "payments" });
  await fixture.tell(request, "compiled");
  const collecting = "IN_PROGRESS.collecting";
  assert.deepEqual(await journalOf(world, request), [
    ["open", null, "PENDING.opened -> PENDING.recorded"],
    ["work.started", null, "PENDING.recorded -> IN_PROGRESS"],
    ["source.received", OWN_DATA, `${collecting}.${OWN_DATA}.asked -> ${collecting}.${OWN_DATA}.received`],
    ["source.failed", "payments", `${collecting}.payments.asked -> ${collecting}.payments.retrying`],
    [
      "participant.asked_again",
      "payments",
      `${collecting}.payments.retrying -> ${collecting}.payments.asked`,
    ],
    ["waive", "orders", `${collecting}.orders.asked -> ${collecting}.orders.waived`],
    [
      "source.received",
      "payments",
      `${collecting}.payments.asked -> ${collecting}.payments.received`,
      `${collecting} -> IN_PROGRESS.compiling`,
    ],
    ["compiled", null, "IN_PROGRESS.compiling -> COMPLETED.available"],
  ]);
});

Deno.test("a rectification's journal has one row with all transitions", async () => {
  await using world = await createManualClockWorld();
  const request = await createRequestFixture(world).open(await register(world), "RECTIFICATION", {
    corrections: { firstName: "Ada" },
  });
  assert.deepEqual(await journalOf(world, request), [
    ["open", null, "PENDING -> IN_PROGRESS", "IN_PROGRESS -> COMPLETED"],
  ]);
});

Deno.test("the journal contains no event name of XState", () => {
  let timers = 0;
  for (const { machine, participants } of SUBJECTS.filter(({ title }) => title.startsWith("gdpr"))) {
    const internal = (type: string) => type.startsWith("xstate.done."); // no event of a row
    for (const type of machine.events.filter((type: string) => !internal(type))) {
      const { name } = publicEvent({ type });
      assert.match(name, /^(?!xstate)[a-z_]+(\.[a-z_]+)?$/, type);
      if (name !== type) timers++;
    }
    const context = { clock: "ON_TIME", receivedAt: 0, dueAt: 0 } as never;
    for (const word of eventLabels(participants, machine.id)) {
      const [, service] = word.split(" ");
      assert.equal(publicEvent(eventOf(word, machine.id, context)).about, service ?? null, word);
    }
  }
  assert.ok(timers > 15, `${timers} timer names`);
});

Deno.test("rows of earlier versions are read with public names, and the participant if the name contains it", () => {
  const read = (eventType: string, about: string | null = null) => {
    const row = publicRow({ eventType, about });
    return [row.eventType, row.about];
  };
  const region = "gdpr_erasure@1.IN_PROGRESS.awaiting_confirmations";
  assert.deepEqual(read("xstate.after.UNTIL_START.gdpr_erasure@1.PENDING.grace"), ["grace.ended", null]);
  assert.deepEqual(read("xstate.after.UNTIL_START.gdpr_access@1.PENDING.recorded"), ["work.started", null]);
  assert.deepEqual(read(`xstate.after.604800000.${region}.order.service.asked`), [
    "participant.overdue",
    "order.service",
  ]);
  assert.deepEqual(read("ask"), ["participant.asked_again", null]);
  assert.deepEqual(read("participant.asked_again", "payments"), ["participant.asked_again", "payments"]);
  assert.deepEqual(read("participant.confirm", "orders"), ["participant.confirm", "orders"]);
  assert.deepEqual(read("clock.at_risk"), ["clock.at_risk", null]);
});
