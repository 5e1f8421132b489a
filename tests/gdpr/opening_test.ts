/** Who may open which request, and what an opening comes to. */
import assert from "node:assert/strict";
import type { ActorRef } from "../../actors/commands.ts";
import { createWorld, register, shopper, tell, type World } from "../actors/world.ts";
import { type ClockedWorld, createClockedWorld, DAY, fireTimer } from "./clocked.ts";
import { assertFacts } from "./facts.ts";
import { timerOf } from "./told.ts";
import { createWorkshop } from "./workshop.ts";

Deno.test("a rectification is applied and completed at once, and the platform hears which fields have changed", async () => {
  await using world = await createWorld();
  const shop = createWorkshop(world);
  const ref = await register(world, { firstName: "Gracce", lastName: "Hopper" });
  await tell(world, ref, "account.suspend"); // the right outlasts it
  const corrections = { firstName: "Grace", phone: "+12025550123" };
  const request = await shop.open(ref, "RECTIFICATION", { corrections }, { by: shopper(ref) });
  const row = await shop.row(request);
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
  assert.equal(quoting.length, 0, "the request holds no copy");
});

Deno.test("a rectification that cannot be applied is refused and leaves no request", async () => {
  await using world = await createWorld();
  const shop = createWorkshop(world);
  const ref = await register(world);
  await register(world, { email: "taken@example.com" });
  const open = (corrections?: Record<string, unknown>) =>
    shop.open(ref, "RECTIFICATION", corrections ? { corrections } : {});
  await assert.rejects(open({ email: "taken@example.com" }), { code: "ALREADY_EXISTS" });
  await assert.rejects(open({ email: "nonsense" }), { code: "INVALID_INPUT" });
  await assert.rejects(open({ status: "CLOSED" }), { code: "INVALID_INPUT" });
  await assert.rejects(open({}), { code: "INVALID_INPUT" });
  await assert.rejects(open(), { code: "INVALID_INPUT" });
  assert.equal((await world.admin`select 1 from gdpr_requests`).length, 0);
});

Deno.test("a request is opened by its subject, by a privacy officer and by the service, and by nobody else", async () => {
  await using world = await createClockedWorld();
  const shop = createWorkshop(world);
  const [ref, other] = [await register(world), await register(world)];
  const by = (principal: World["staff"]) => ({ by: principal });
  await assert.rejects(shop.open(ref, "ACCESS", {}, by(shopper(other))), { code: "FORBIDDEN" });
  await assert.rejects(shop.open(ref, "ACCESS", {}, by(world.staff)), { code: "FORBIDDEN" });
  const stranger = { ...world.officer, storeId: crypto.randomUUID() };
  await assert.rejects(shop.open(ref, "ACCESS", {}, by(stranger)), { code: "FORBIDDEN" });
  await assert.rejects(shop.open({ ...ref, id: crypto.randomUUID() }, "ACCESS"), { code: "NOT_FOUND" });
  for (const principal of [shopper(ref), world.officer, world.system]) {
    await shop.open(ref, "ACCESS", {}, by(principal));
  }
});

Deno.test("only the service itself opens an erasure as one that a restore has undone", async () => {
  await using world = await createClockedWorld({ graceMs: DAY });
  const shop = createWorkshop(world);
  const ref = await register(world);
  for (const by of [shopper(ref), world.officer]) {
    await assert.rejects(shop.open(ref, "ERASURE", { cause: "RESTORE" }, { by }), { code: "FORBIDDEN" });
  }
  const request = await shop.open(ref, "ERASURE", { cause: "RESTORE" });
  await shop.work(world.now);
  assert.equal((await shop.row(request)).status, "IN_PROGRESS", "without a grace period");
});

Deno.test("a second opening answers with the open request and its state, a later one opens another", async () => {
  await using world = await createClockedWorld();
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

Deno.test("an erasure in which nobody else takes part goes straight to its re-scan", async () => {
  await using world = await createClockedWorld({ participants: [] });
  const shop = createWorkshop(world);
  const request = await shop.open(await register(world), "ERASURE");
  await shop.work(world.now);
  assert.equal((await shop.row(request)).outcome, "FULFILLED");
  await assertFacts(world.admin, request);
});

Deno.test("a request of a machine or a state that the code does not know says so, and hinders no other", async () => {
  await using world = await createClockedWorld();
  const shop = createWorkshop(world);
  const start = timerOf("start", "gdpr_access@1");
  for (
    const [change, message] of [
      [`machine = 'gdpr_access@0'`, /does not know it/],
      [`snapshot = jsonb_set(snapshot, '{value}', '{"PENDING":"dreaming"}')`, /knows no state/],
    ] as const
  ) {
    const strange = await shop.open(await register(world), "ACCESS");
    await world.admin.unsafe(`update gdpr_requests set ${change} where request_id = $1`, [strange.id]);
    const failure = { code: "REFUSED_IN_STATE", message };
    await assert.rejects(tell(world, strange, "cancel"), failure);
    await assert.rejects(fireTimer(world, strange, start), failure);
    const [timer] = await world
      .admin`select 1 from timers where actor_id = ${strange.id} and name = ${start}`;
    assert.ok(timer, "it waits for code that knows it");
    const known = await shop.open(await register(world), "ACCESS");
    assert.ok(await fireTimer(world, known, start));
  }
});

const requestRef = ({ storeId }: ClockedWorld, id: string): ActorRef => ({
  kind: "gdpr_request",
  storeId,
  id,
});
