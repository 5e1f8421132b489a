/** Opening of requests: permissions, results, and repetition. */
import assert from "node:assert/strict";
import type { ActorRef } from "../../actors/commands.ts";
import { createWorld, register, shopper, tell, type World } from "../actors/world.ts";
import { createManualClockWorld, DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";
import { assertInvariants } from "./invariants.ts";
import { timerName } from "./request_events.ts";
import { createRequestFixture } from "./request_fixture.ts";

Deno.test("a rectification is applied and completed immediately, and an event names the changed fields", async () => {
  await using world = await createWorld();
  const fixture = createRequestFixture(world);
  const ref = await register(world, { firstName: "Gracce", lastName: "Hopper" });
  await tell(world, ref, "account.suspend"); // a suspended customer keeps the right
  const corrections = { firstName: "Grace", phone: "+12025550123" };
  const request = await fixture.open(ref, "RECTIFICATION", { corrections }, { by: shopper(ref) });
  const row = await fixture.row(request);
  assert.deepEqual([row.status, row.outcome], ["COMPLETED", "FULFILLED"]);
  const [customer] = await world.admin`select * from customers where customer_id = ${ref.id}`;
  assert.deepEqual([customer?.firstName, customer?.lastName, customer?.phone], [
    "Grace",
    "Hopper",
    "+12025550123",
  ]);
  const [event] = await world.admin`
    select payload from outbox where topic = 'customer.updated' order by seq desc limit 1`;
  assert.deepEqual(event?.payload.changedFields, ["firstName", "phone"]);
  const quoting = await world.admin`select 1 from gdpr_requests r where position('Grace' in r::text) > 0`;
  assert.equal(quoting.length, 0, "the request stores no copy of the value");
});

Deno.test("a request without an idempotency key is opened without reading facts that it does not need", async () => {
  await using world = await createWorld();
  const fixture = createRequestFixture(world);
  const [ref, other] = [await register(world), await register(world)];
  // A call of the function would fail, as it does for the key's answer below.
  await world.admin.unsafe("revoke execute on function read_actors(uuid, jsonb, boolean) from customer_api");
  const request = await fixture.open(ref, "ACCESS");
  assert.equal((await fixture.row(request)).type, "ACCESS");
  const keyed = fixture.open(other, "ACCESS", {}, { idempotencyKey: "key" });
  await assert.rejects(keyed, { code: "42501" });
});

Deno.test("a rectification that cannot be applied is refused and stores no request", async () => {
  await using world = await createWorld();
  const fixture = createRequestFixture(world);
  const ref = await register(world);
  await register(world, { email: "taken@example.com" });
  const open = (corrections?: Record<string, unknown>) =>
    fixture.open(ref, "RECTIFICATION", corrections ? { corrections } : {});
  await assert.rejects(open({ email: "taken@example.com" }), { code: "ALREADY_EXISTS" });
  await assert.rejects(open({ email: "nonsense" }), { code: "INVALID_INPUT" });
  await assert.rejects(open({ status: "CLOSED" }), { code: "INVALID_INPUT" });
  await assert.rejects(open({}), { code: "INVALID_INPUT" });
  await assert.rejects(open(), { code: "INVALID_INPUT" });
  assert.equal((await world.admin`select 1 from gdpr_requests`).length, 0);
});

Deno.test("only the subject, a privacy officer and the service can open a request", async () => {
  await using world = await createManualClockWorld();
  const fixture = createRequestFixture(world);
  const [ref, other] = [await register(world), await register(world)];
  const by = (principal: World["staff"]) => ({ by: principal });
  await assert.rejects(fixture.open(ref, "ACCESS", {}, by(shopper(other))), { code: "FORBIDDEN" });
  await assert.rejects(fixture.open(ref, "ACCESS", {}, by(world.staff)), { code: "FORBIDDEN" });
  const stranger = { ...world.officer, storeId: crypto.randomUUID() };
  await assert.rejects(fixture.open(ref, "ACCESS", {}, by(stranger)), { code: "FORBIDDEN" });
  await assert.rejects(fixture.open({ ...ref, id: crypto.randomUUID() }, "ACCESS"), { code: "NOT_FOUND" });
  for (const principal of [shopper(ref), world.officer, world.system]) {
    await fixture.open(ref, "ACCESS", {}, by(principal));
  }
});

Deno.test("only the service itself can open an erasure with the cause RESTORE", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY });
  const fixture = createRequestFixture(world);
  const ref = await register(world);
  for (const by of [shopper(ref), world.officer]) {
    await assert.rejects(fixture.open(ref, "ERASURE", { cause: "RESTORE" }, { by }), { code: "FORBIDDEN" });
  }
  const request = await fixture.open(ref, "ERASURE", { cause: "RESTORE" });
  await fixture.work(world.now);
  assert.equal((await fixture.row(request)).status, "IN_PROGRESS", "without a grace period");
});

Deno.test("a second opening returns the open request and its state; after its completion, a new one is opened", async () => {
  await using world = await createManualClockWorld();
  const ref = await register(world);
  const open = (): ReturnType<typeof tell> => {
    const request = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
    return tell(world, request, "open", { customerId: ref.id, right: "ACCESS" }, { by: shopper(ref) });
  };
  const first = await open();
  assert.deepEqual(await open(), { ...first, changed: false });
  await tell(world, requestRef(world, first.id), "cancel", {}, { by: shopper(ref) });
  assert.notEqual((await open()).id, first.id);
});

Deno.test("an erasure without participants starts its re-scan immediately", async () => {
  await using world = await createManualClockWorld({ participants: [] });
  const fixture = createRequestFixture(world);
  const request = await fixture.open(await register(world), "ERASURE");
  await fixture.work(world.now);
  assert.equal((await fixture.row(request)).outcome, "FULFILLED");
  await assertInvariants(world.admin, request);
});

Deno.test("a request with an unknown machine or state is refused, and does not block others", async () => {
  await using world = await createManualClockWorld();
  const fixture = createRequestFixture(world);
  const start = timerName("start", "gdpr_access@1");
  for (
    const [change, message] of [
      [`machine = 'gdpr_access@0'`, /does not know it/],
      [`snapshot = jsonb_set(snapshot, '{value}', '{"PENDING":"unknown"}')`, /has no state/],
    ] as const
  ) {
    const unknown = await fixture.open(await register(world), "ACCESS");
    await world.admin.unsafe(`update gdpr_requests set ${change} where request_id = $1`, [unknown.id]);
    const failure = { code: "REFUSED_IN_STATE", message };
    await assert.rejects(tell(world, unknown, "cancel"), failure);
    await assert.rejects(fireTimer(world, unknown, start), failure);
    const [timer] = await world
      .admin`select 1 from timers where actor_id = ${unknown.id} and name = ${start}`;
    assert.ok(timer, "the timer is kept for a version that knows it");
    const known = await fixture.open(await register(world), "ACCESS");
    assert.ok(await fireTimer(world, known, start));
  }
});

const requestRef = ({ storeId }: ManualClockWorld, id: string): ActorRef => ({
  kind: "gdpr_request",
  storeId,
  id,
});
