/** Personal values outside of the columns of the map: in notes of staff, and in rows that machines write. */
import assert from "node:assert/strict";
import { verifyErasure } from "../../actors/gdpr/effects/verify.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { ADDRESS, register, tell } from "../actors/world.ts";
import { createManualClockWorld, DAY, type ManualClockWorld } from "./manual_clock.ts";
import { createRequestFixture } from "./request_fixture.ts";

const SERVICE = "order-service";
const PERSON = {
  email: "augusta@lovelace.example",
  firstName: "Ada",
  lastName: "Lovelace-King",
  phone: "+441234567890",
};

Deno.test("notes that quote the subject are cleared and counted, and other notes are kept", async () => {
  await using world = await createManualClockWorld({ participants: [SERVICE], graceMs: DAY });
  const fixture = createRequestFixture(world, {
    "erasure.verify": verifyErasure,
    "source.collect": () => Promise.resolve("done"), // no participant responds
  });
  const customer = await registerPerson(world);
  const access = await fixture.open(customer, "ACCESS");
  await fixture.work(world.now);
  await fixture.tell(access, "retry", { service: SERVICE, reason: "asked by augusta@lovelace.example" });
  await fixture.tell(access, "waive", { service: SERVICE, reason: "LOVELACE-KING has seen it in the shop" });
  await fixture.tell(access, "refuse", { reason: "augusta@lovelace.example was not hers" });
  const portability = await fixture.open(customer, "PORTABILITY");
  await fixture.tell(portability, "cancel", { reason: "a letter of augusta@lovelace.example" });
  const erasure = await fixture.open(customer, "ERASURE");
  await fixture.tell(erasure, "hold", { reason: "Augusta@Lovelace.example is in court" });
  await fixture.tell(erasure, "release", { reason: "(augusta@lovelace.example) has won" });
  await fixture.tell(erasure, "hold", { reason: "Ada phoned from +441234567890" });
  await fixture.tell(erasure, "release", { reason: "the adaptation is done" });
  await fixture.tell(erasure, "extend", { reason: "the adaptation of many systems" });
  const other = await fixture.open(await register(world), "ERASURE");
  await fixture.tell(other, "hold", { reason: "Ada of the support desk" });
  const messages = JSON.stringify(await world.admin`select payload, headers from outbox`);
  assert.doesNotMatch(messages, /augusta@|Ada phoned|adaptation/i, "no message carries a reason");

  await eraseAndConfirm(world, fixture, erasure);
  const { cleared, ...row } = await fixture.row(erasure);
  assert.deepEqual([row.outcome, row.holdReason, row.extensionReason], [
    "FULFILLED",
    null,
    "the adaptation of many systems",
  ]);
  assert.equal((await fixture.row(access)).refusalReason, null);
  assert.equal((await fixture.row(other)).holdReason, "Ada of the support desk");
  assert.deepEqual(cleared.tables.gdpr_requests, { request: 2 });
  assert.deepEqual(cleared.tables.gdpr_participants, { request: 1 });
  assert.deepEqual(cleared.tables.actor_events, { request: 7 });
  assert.deepEqual(await reasonsOf(world, erasure), [
    ["hold", null],
    ["release", null],
    ["hold", null],
    ["release", "the adaptation is done"],
    ["extend", "the adaptation of many systems"],
  ]);
  assert.deepEqual(await reasonsOf(world, access), [["retry", null], ["waive", null], ["refuse", null]]);
  assert.deepEqual(await reasonsOf(world, portability), [["cancel", null]]);
  assert.deepEqual(await reasonsOf(world, other), [["hold", "Ada of the support desk"]]);
  const [receipt] = await world.admin`select document from erasure_receipts where request_id = ${erasure.id}`;
  assert.deepEqual(receipt?.document.cleared, cleared.tables);
  assert.deepEqual(receipt?.document.reasons, { extension: "the adaptation of many systems" });
});

/** Rows written by machines in which a defect could leave a value. */
const RESIDUE: Record<string, { insert: string; remove: string }> = {
  "an event": {
    insert: `update outbox set payload = payload || '{"note":"for Ada Lovelace-King"}' where key = $1`,
    remove: `update outbox set payload = payload - 'note' where key = $1`,
  },
  "the journal": {
    insert: `update actor_events set changed_fields = '{augusta@lovelace.example}' where actor_id = $1`,
    remove: `update actor_events set changed_fields = '{}' where actor_id = $1`,
  },
  "a reason of another actor's journal": {
    insert: `update actor_events set reason = 'as Ada Lovelace-King wished' where actor_id = $1`,
    remove: `update actor_events set reason = null where actor_id = $1`,
  },
  "an idempotent answer": {
    insert: `insert into idempotency_keys
      select store_id, customer_id, repeat('a', 64), '', '{"ids":{"name":"LOVELACE-KING"}}', now(), now()
      from customers where customer_id = $1`,
    remove: `delete from idempotency_keys where principal_id = $1`,
  },
  "an effect's error": {
    insert: `insert into effects
      select store_id, gen_random_uuid(), 'customer', customer_id, 'memberships.end', '{}', 'POISONED', 20, now(),
        'no such address: 12 St James Square', '', now()
      from customers where customer_id = $1`,
    remove: `update effects set last_error = null where actor_id = $1`,
  },
};

for (const [place, { insert, remove }] of Object.entries(RESIDUE)) {
  Deno.test(`a value of the subject in ${place} blocks the erasure until it is removed`, async () => {
    await using world = await createManualClockWorld({ participants: [SERVICE], graceMs: DAY });
    const fixture = createRequestFixture(world);
    const customer = await registerPerson(world);
    await tell(world, customer, "address.add", { ...ADDRESS, line1: "12 St James Square" });
    await world.admin.unsafe(insert, [customer.id]);
    const erasure = await fixture.open(customer, "ERASURE");
    await eraseAndConfirm(world, fixture, erasure);
    const blocked = await fixture.row(erasure);
    assert.deepEqual(blocked.snapshot.value, { IN_PROGRESS: "residue_found" });
    assert.ok(blocked.snapshot.context.residue > 0);
    for (const value of [...Object.values(PERSON), "12 St James"]) {
      assert.ok(!JSON.stringify(blocked.cleared).includes(value), "only digests are stored");
    }

    await fixture.tell(erasure, "retry", {}, { by: world.officer });
    await fixture.work(world.now);
    assert.equal((await fixture.row(erasure)).status, "IN_PROGRESS", "the value is still there");

    await world.admin.unsafe(remove, [customer.id]);
    await fixture.tell(erasure, "retry", {}, { by: world.officer });
    await fixture.work(world.now);
    const done = await fixture.row(erasure);
    assert.deepEqual([done.outcome, done.cleared.traces], ["FULFILLED", []]);
  });
}

Deno.test("personal values that equal terms of the machines do not block an erasure", async () => {
  await using world = await createManualClockWorld({ participants: [SERVICE], graceMs: DAY });
  const fixture = createRequestFixture(world);
  const customer = await register(world, { firstName: "Grace", lastName: "Held", locale: "en" });
  for (
    const [line1, city] of [["order-service", "Erasure"], ["PENDING", "Asked"], ["customer", "Staff"]]
  ) {
    await tell(world, customer, "address.add", { ...ADDRESS, line1, city, postalCode: "2026" });
  }
  const erasure = await fixture.open(customer, "ERASURE");
  await fixture.tell(erasure, "hold", { reason: "required by law" });
  await fixture.tell(erasure, "release");
  await eraseAndConfirm(world, fixture, erasure);
  assert.equal((await fixture.row(erasure)).outcome, "FULFILLED");
});

Deno.test("the reason of the decision that starts the erasure is cleared too", async () => {
  await using world = await createManualClockWorld({ participants: [SERVICE], graceMs: DAY });
  const fixture = createRequestFixture(world);
  const erasure = await fixture.open(await registerPerson(world), "ERASURE");
  await fixture.tell(erasure, "hold", { reason: "a lawsuit" });
  world.now = new Date(world.now.getTime() + 2 * DAY);
  await fixture.tell(erasure, "release", { reason: "lovelace-king has withdrawn it" });
  await eraseAndConfirm(world, fixture, erasure);
  const { outcome, cleared } = await fixture.row(erasure);
  assert.deepEqual([outcome, cleared.traces], ["FULFILLED", []]);
  assert.deepEqual(await reasonsOf(world, erasure), [["hold", "a lawsuit"], ["release", null]]);
});

/** Staff decisions about a request in order, each with its reason. */
async function reasonsOf(world: ManualClockWorld, { id }: ActorRef): Promise<[string, string | null][]> {
  const rows = await world.admin<{ eventType: string; reason: string | null }[]>`
    select event_type, reason from actor_events
    where actor_id = ${id} and event_type in ('retry', 'waive', 'refuse', 'cancel', 'hold', 'release', 'extend')
    order by sequence`;
  return rows.map(({ eventType, reason }) => [eventType, reason]);
}

const registerPerson = (world: ManualClockWorld) => register(world, PERSON);

async function eraseAndConfirm(
  world: ManualClockWorld,
  fixture: ReturnType<typeof createRequestFixture>,
  erasure: ActorRef,
): Promise<void> {
  world.now = new Date(world.now.getTime() + DAY);
  await fixture.work(world.now);
  await fixture.tell(erasure, "participant.confirm", { service: SERVICE, evidence: "2 rows" });
  await fixture.work(world.now);
}
