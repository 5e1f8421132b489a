/** Registration of an erased customer: refused by ID and by email, unless the command sets `returning`. */
import assert from "node:assert/strict";
import { rememberErasure } from "../gdpr/remembered_erasure.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { eventually } from "../eventually.ts";
import { captureLog } from "../captured_log.ts";
import { requestSettings } from "./settings.ts";
import { createWorld, customerRef, register, tell, type World } from "./world.ts";

const EMAIL = "Numbat.Potoroo@marsupial.example";

/** Registers a customer with the email and erases it by a request. */
async function createErased(world: World): Promise<ActorRef> {
  const workshop = createRequestFixture(world);
  const ref = await register(world, { email: EMAIL });
  await workshop.open(ref, "ERASURE");
  await workshop.work();
  const [row] = await world.admin`select anonymized_at from customers where customer_id = ${ref.id}`;
  assert.ok(row?.anonymizedAt);
  return ref;
}

Deno.test("the email of an erased customer is refused without naming it, and nothing is written", async () => {
  await using world = await createWorld();
  await using logged = await captureLog();
  await createErased(world);
  const ref = customerRef(world);
  const today = new Date().toISOString().slice(0, 10);
  for (const email of [EMAIL, EMAIL.toUpperCase()]) {
    await assert.rejects(tell(world, ref, "register", { email, lastName: "Potoroo" }), {
      code: "REFUSED_IN_STATE",
      message: `Cannot register ${ref.id}: a customer with this email was erased on ${today}; ` +
        "set returning if the person comes back by their own choice",
    });
  }
  const [counts] = await world.admin`
    select (select count(*)::int from customers where customer_id = ${ref.id}) as customers,
      (select count(*)::int from actor_events where actor_id = ${ref.id}) as events,
      (select count(*)::int from outbox where key = ${ref.id}) as messages`;
  assert.deepEqual({ ...counts }, { customers: 0, events: 0, messages: 0 });
  assert.doesNotMatch(logged.lines.join("\n"), /numbat|potoroo/i);
});

Deno.test("a command with returning registers the person again, and the audit log records it", async () => {
  await using world = await createWorld();
  await createErased(world);
  const ref = customerRef(world);
  await tell(world, ref, "register", { email: EMAIL, returning: true });
  assert.deepEqual(await auditOf(world, ref), ["CUSTOMER_CREATED", "CUSTOMER_RETURNED"]);
  const [event] = await world.admin`
    select event_type, changed_fields from actor_events where actor_id = ${ref.id}`;
  assert.deepEqual({ ...event }, { eventType: "register", changedFields: ["email"] });
  const other = await register(world);
  assert.deepEqual(await auditOf(world, other), ["CUSTOMER_CREATED"]);
});

Deno.test("the ID of an erased customer is refused even with returning", async () => {
  await using world = await createWorld();
  const ref = await createErased(world);
  await assert.rejects(tell(world, ref, "register", { email: "other@example.com", returning: true }), {
    code: "REFUSED_IN_STATE",
    message: /it was erased on/,
  });
});

Deno.test("another store accepts the email of an erased customer", async () => {
  await using world = await createWorld();
  await createErased(world);
  const storeId = crypto.randomUUID();
  const other = { ...world, storeId, system: { ...world.system, storeId } };
  await register(other, { email: EMAIL });
});

Deno.test("an existing customer may change to the email of an erased customer", async () => {
  await using world = await createWorld();
  await createErased(world);
  const ref = await register(world);
  assert.equal((await tell(world, ref, "profile.update", { email: EMAIL })).changed, true);
});

Deno.test("a registration that waits for a concurrent erasure is refused after it", async () => {
  const requests = await requestSettings();
  await using world = await createWorld({ requests });
  const ref = await register(world, { email: EMAIL });
  const emailHashes = await requests.hashEmail(EMAIL);
  const newcomer = customerRef(world);
  let registration: Promise<unknown> | undefined;
  await world.admin.begin(async (tx) => {
    await tx`
      update customers set email = null, anonymized_at = now(), status = 'CLOSED'
      where customer_id = ${ref.id}`;
    await rememberErasure(tx, ref, emailHashes);
    registration = tell(world, newcomer, "register", { email: EMAIL });
    registration.catch(() => {});
    await eventually(async () => {
      const [row] = await world.admin`
        select count(*)::int as count from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      assert.equal(row?.count, 1);
    });
  });
  await assert.rejects(registration!, { code: "REFUSED_IN_STATE", message: /was erased on/ });
});

async function auditOf({ admin }: World, { id }: ActorRef): Promise<string[]> {
  const rows = await admin<{ action: string }[]>`
    select payload ->> 'action' as action from outbox where key = ${id} and topic = 'audit.event' order by seq`;
  return rows.map(({ action }) => action);
}
