/** The journal of whole requests: public names, the participant of each event, and the transitions taken. */
import assert from "node:assert/strict";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import { publicEvent, publicRow } from "../../actors/gdpr/requests/public_events.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { findJournal } from "../../db/actor_events.ts";
import { readStore } from "../../db/store_reader.ts";
import { register } from "../actors/world.ts";
import { SUBJECTS } from "../inspect/chart_story.ts";
import { type ClockedWorld, createClockedWorld, DAY, fireTimer } from "./clocked.ts";
import { eventOf, timerOf, wordsAbout } from "./told.ts";
import { createWorkshop } from "./workshop.ts";

const PARTICIPANTS = ["orders", "payments"];

/** The stored rows, without the world's own IDs: name, party, and transitions. */
async function journalOf(world: ClockedWorld, { storeId, id }: ActorRef) {
  const key = { storeId, actorKind: "gdpr_request", actorId: id };
  const rows = await readStore(
    world.database.pool("customer_api", 1),
    storeId,
    (sql) => findJournal(sql, key, { limit: 100 }),
  );
  return rows.map(({ eventType, about, transitions }) => [eventType, about, ...transitions ?? ["unknown"]]);
}

Deno.test("an erasure's journal names every event, its participant and the transitions taken", async () => {
  await using world = await createClockedWorld({ graceMs: 2 * DAY, participants: PARTICIPANTS });
  const shop = createWorkshop(world);
  const request = await shop.open(await register(world), "ERASURE");
  const timer = (word: string) => fireTimer(world, request, timerOf(word, "gdpr_erasure@1"));
  await shop.tell(request, "hold", { reason: "a lawsuit" });
  await shop.tell(request, "release");
  await timer("start");
  await timer("ask payments");
  await shop.tell(request, "participant.confirm", { service: "orders" });
  await timer("week payments");
  await timer("ask payments");
  await shop.tell(request, "retry", { service: "payments" });
  await timer("at-risk");
  await timer("overdue");
  await shop.tell(request, "participant.confirm", { service: "payments" });
  await shop.tell(request, "verified", { residue: 1 });
  await shop.tell(request, "retry");
  await shop.tell(request, "verified", { residue: 0 });
  const waiting = "IN_PROGRESS.awaiting_confirmations";
  assert.deepEqual(await journalOf(world, request), [
    ["open", null],
    ["hold", null, "PENDING.grace -> PENDING.held"],
    ["release", null, "PENDING.held -> PENDING.grace"],
    ["grace.ended", null, "PENDING.grace -> IN_PROGRESS"],
    ["participant.asked_again", "payments", `${waiting}.payments.asked`],
    ["participant.confirm", "orders", `${waiting}.orders.asked -> ${waiting}.orders.confirmed`],
    ["participant.overdue", "payments", `${waiting}.payments.asked -> ${waiting}.payments.overdue`],
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

Deno.test("an access request's journal names every event, its source and the transitions taken", async () => {
  await using world = await createClockedWorld({ participants: PARTICIPANTS });
  const shop = createWorkshop(world);
  const request = await shop.open(await register(world), "ACCESS");
  await fireTimer(world, request, timerOf("start", "gdpr_access@1"));
  await shop.tell(request, "source.received", { service: OWN_DATA });
  await shop.tell(request, "source.failed", { service: "payments", error: "UNREACHABLE" });
  await fireTimer(world, request, "ask payments");
  await shop.tell(request, "waive", { service: "orders", reason: "it has been shut down" });
  await shop.tell(request, "source.received", { service: "payments" });
  await shop.tell(request, "compiled");
  const collecting = "IN_PROGRESS.collecting";
  assert.deepEqual(await journalOf(world, request), [
    ["open", null],
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
    ["compiled", null, "IN_PROGRESS.compiling -> COMPLETED"],
  ]);
});

Deno.test("a rectification's journal has one row with the whole way", async () => {
  await using world = await createClockedWorld();
  const request = await createWorkshop(world).open(await register(world), "RECTIFICATION", {
    corrections: { firstName: "Ada" },
  });
  assert.deepEqual(await journalOf(world, request), [
    ["open", null, "PENDING -> IN_PROGRESS", "IN_PROGRESS -> COMPLETED"],
  ]);
});

Deno.test("no event that a request's machine takes has a name of XState's own in the journal", () => {
  let timers = 0;
  for (const { machine, services } of SUBJECTS.filter(({ title }) => title.startsWith("gdpr"))) {
    const internal = (type: string) => type.startsWith("xstate.done."); // no event of a row
    for (const type of machine.events.filter((type: string) => !internal(type))) {
      const { name } = publicEvent({ type });
      assert.match(name, /^(?!xstate)[a-z_]+(\.[a-z_]+)?$/, type);
      if (name !== type) timers++;
    }
    const context = { clock: "ON_TIME", receivedAt: 0, dueAt: 0 } as never;
    for (const word of wordsAbout(services, machine.id)) {
      const [, service] = word.split(" ");
      assert.equal(publicEvent(eventOf(word, machine.id, context)).about, service ?? null, word);
    }
  }
  assert.ok(timers > 20, `${timers} names of timers`);
});

Deno.test("rows of earlier versions are read with public names, and a participant where the name has it", () => {
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
