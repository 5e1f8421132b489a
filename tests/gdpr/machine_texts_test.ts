/** Personal values outside of the columns of the map, in rows that machines write. */
import assert from "node:assert/strict";
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
  await fixture.tell(erasure, "hold", { ground: "LEGAL_CLAIM", reason: "required by law" });
  await fixture.tell(erasure, "release");
  await eraseAndConfirm(world, fixture, erasure);
  assert.equal((await fixture.row(erasure)).outcome, "FULFILLED");
});

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
