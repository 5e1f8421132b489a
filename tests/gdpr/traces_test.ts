/** A subject's values where no column of the map holds them: in notes of staff, and where machines write. */
import assert from "node:assert/strict";
import { verifyErasure } from "../../actors/gdpr/effects/verify.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { ADDRESS, register, tell } from "../actors/world.ts";
import { type ClockedWorld, createClockedWorld, DAY } from "./clocked.ts";
import { createWorkshop } from "./workshop.ts";

const SERVICE = "order-service";
const PERSON = {
  email: "augusta@lovelace.example",
  firstName: "Ada",
  lastName: "Lovelace-King",
  phone: "+441234567890",
};

Deno.test("notes of staff and services that quote the subject are emptied and counted, other notes stay", async () => {
  await using world = await createClockedWorld({ participants: [SERVICE], graceMs: DAY });
  const shop = createWorkshop(world, {
    "erasure.verify": verifyErasure,
    "source.collect": () => Promise.resolve("done"), // nobody answers
  });
  const customer = await registerPerson(world);
  const access = await shop.open(customer, "ACCESS");
  await shop.work(world.now);
  await shop.tell(access, "retry", { service: SERVICE, reason: "asked by augusta@lovelace.example" });
  await shop.tell(access, "waive", { service: SERVICE, reason: "LOVELACE-KING has seen it in the shop" });
  await shop.tell(access, "refuse", { reason: "augusta@lovelace.example was not hers" });
  const portability = await shop.open(customer, "PORTABILITY");
  await shop.tell(portability, "cancel", { reason: "a letter of augusta@lovelace.example" });
  const erasure = await shop.open(customer, "ERASURE");
  await shop.tell(erasure, "hold", { reason: "Augusta@Lovelace.example is in court" });
  await shop.tell(erasure, "release", { reason: "(augusta@lovelace.example) has won" });
  await shop.tell(erasure, "hold", { reason: "Ada phoned from +441234567890" });
  await shop.tell(erasure, "release", { reason: "the adaptation is done" });
  await shop.tell(erasure, "extend", { reason: "the adaptation of many systems" });
  const other = await shop.open(await register(world), "ERASURE");
  await shop.tell(other, "hold", { reason: "Ada of the support desk" });
  const messages = JSON.stringify(await world.admin`select payload, headers from outbox`);
  assert.doesNotMatch(messages, /augusta@|Ada phoned|adaptation/i, "no message carries a reason");

  await eraseAndConfirm(world, shop, erasure);
  const { cleared, ...row } = await shop.row(erasure);
  assert.deepEqual([row.outcome, row.holdReason, row.extensionReason], [
    "FULFILLED",
    null,
    "the adaptation of many systems",
  ]);
  assert.equal((await shop.row(access)).refusalReason, null);
  assert.equal((await shop.row(other)).holdReason, "Ada of the support desk");
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

/** Where a machine could leave a value if somebody wrote it so. */
const PLACES: Record<string, { plant: string; mend: string }> = {
  "an event": {
    plant: `update outbox set payload = payload || '{"note":"for Ada Lovelace-King"}' where key = $1`,
    mend: `update outbox set payload = payload - 'note' where key = $1`,
  },
  "the journal": {
    plant: `update actor_events set changed_fields = '{augusta@lovelace.example}' where actor_id = $1`,
    mend: `update actor_events set changed_fields = '{}' where actor_id = $1`,
  },
  "a reason of another actor's journal": {
    plant: `update actor_events set reason = 'as Ada Lovelace-King wished' where actor_id = $1`,
    mend: `update actor_events set reason = null where actor_id = $1`,
  },
  "an idempotent answer": {
    plant: `insert into idempotency_keys
      select store_id, customer_id, repeat('a', 64), '', '{"ids":{"name":"LOVELACE-KING"}}', now(), now()
      from customers where customer_id = $1`,
    mend: `delete from idempotency_keys where principal_id = $1`,
  },
  "an effect's error": {
    plant: `insert into effects
      select store_id, gen_random_uuid(), 'customer', customer_id, 'memberships.end', '{}', 'POISONED', 20, now(),
        'no such address: 12 St James Square', '', now()
      from customers where customer_id = $1`,
    mend: `update effects set last_error = null where actor_id = $1`,
  },
};

for (const [place, { plant, mend }] of Object.entries(PLACES)) {
  Deno.test(`a value of the subject in ${place} blocks the erasure until it is gone`, async () => {
    await using world = await createClockedWorld({ participants: [SERVICE], graceMs: DAY });
    const shop = createWorkshop(world);
    const customer = await registerPerson(world);
    await tell(world, customer, "address.add", { ...ADDRESS, line1: "12 St James Square" });
    await world.admin.unsafe(plant, [customer.id]);
    const erasure = await shop.open(customer, "ERASURE");
    await eraseAndConfirm(world, shop, erasure);
    const blocked = await shop.row(erasure);
    assert.deepEqual(blocked.snapshot.value, { IN_PROGRESS: "residue_found" });
    assert.ok(blocked.snapshot.context.residue > 0);
    for (const value of [...Object.values(PERSON), "12 St James"]) {
      assert.ok(!JSON.stringify(blocked.cleared).includes(value), "what is kept of it are digests");
    }

    await shop.tell(erasure, "retry", {}, { by: world.officer });
    await shop.work(world.now);
    assert.equal((await shop.row(erasure)).status, "IN_PROGRESS", "it is still there");

    await world.admin.unsafe(mend, [customer.id]);
    await shop.tell(erasure, "retry", {}, { by: world.officer });
    await shop.work(world.now);
    const done = await shop.row(erasure);
    assert.deepEqual([done.outcome, done.cleared.traces], ["FULFILLED", []]);
  });
}

Deno.test("nobody is kept for being called like a word of the machines", async () => {
  await using world = await createClockedWorld({ participants: [SERVICE], graceMs: DAY });
  const shop = createWorkshop(world);
  const customer = await register(world, { firstName: "Grace", lastName: "Held", locale: "en" });
  for (const [line1, city] of [["order-service", "Erasure"], ["PENDING", "Asked"], ["customer", "Staff"]]) {
    await tell(world, customer, "address.add", { ...ADDRESS, line1, city, postalCode: "2026" });
  }
  const erasure = await shop.open(customer, "ERASURE");
  await shop.tell(erasure, "hold", { reason: "as the law says" });
  await shop.tell(erasure, "release");
  await eraseAndConfirm(world, shop, erasure);
  assert.equal((await shop.row(erasure)).outcome, "FULFILLED");
});

Deno.test("the reason of the very decision that starts the erasure is emptied with the others", async () => {
  await using world = await createClockedWorld({ participants: [SERVICE], graceMs: DAY });
  const shop = createWorkshop(world);
  const erasure = await shop.open(await registerPerson(world), "ERASURE");
  await shop.tell(erasure, "hold", { reason: "a lawsuit" });
  world.now = new Date(world.now.getTime() + 2 * DAY);
  await shop.tell(erasure, "release", { reason: "lovelace-king has withdrawn it" });
  await eraseAndConfirm(world, shop, erasure);
  const { outcome, cleared } = await shop.row(erasure);
  assert.deepEqual([outcome, cleared.traces], ["FULFILLED", []]);
  assert.deepEqual(await reasonsOf(world, erasure), [["hold", "a lawsuit"], ["release", null]]);
});

/** What staff have decided about a request, in order, each with its reason. */
async function reasonsOf(world: ClockedWorld, { id }: ActorRef): Promise<[string, string | null][]> {
  const rows = await world.admin<{ eventType: string; reason: string | null }[]>`
    select event_type, reason from actor_events
    where actor_id = ${id} and event_type in ('retry', 'waive', 'refuse', 'cancel', 'hold', 'release', 'extend')
    order by sequence`;
  return rows.map(({ eventType, reason }) => [eventType, reason]);
}

const registerPerson = (world: ClockedWorld) => register(world, PERSON);

async function eraseAndConfirm(
  world: ClockedWorld,
  shop: ReturnType<typeof createWorkshop>,
  erasure: ActorRef,
): Promise<void> {
  world.now = new Date(world.now.getTime() + DAY);
  await shop.work(world.now);
  await shop.tell(erasure, "participant.confirm", { service: SERVICE, evidence: "2 rows" });
  await shop.work(world.now);
}
