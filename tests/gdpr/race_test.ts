/** What meets at one instant: each order of two that want the same rows. */
import assert from "node:assert/strict";
import { verifyErasure } from "../../actors/gdpr/effects/verify.ts";
import type { ActorRef } from "../../actors/commands.ts";
import type { ClaimedEffect } from "../../db/effects.ts";
import { ADDRESS, createGroup, register, shopper, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { type ClockedWorld, createClockedWorld, DAY, fireTimer } from "./clocked.ts";
import { assertFacts } from "./facts.ts";
import {
  type Act,
  AWAITING,
  codeOf,
  inOrder,
  lockOf,
  meet,
  openErasure,
  openRequest,
  phaseNow,
  REFUSED,
  START,
  untilWaiting,
  WAITING,
} from "./meeting.ts";

Deno.test("a cancel that meets the end of the grace period: cancelled with the data intact, or erased", async (t) => {
  await using world = await createClockedWorld({ graceMs: DAY });
  for (const cancelFirst of [true, false]) {
    await t.step(cancelFirst ? "the cancel was first" : "the end was first", async () => {
      const { customer, request } = await openErasure(world);
      const cancel = () => tell(world, request, "cancel", {}, { by: shopper(customer) });
      const acts: Act[] = [cancel, () => fireTimer(world, request, START)];
      const [cancelled, ended] = await meet(world, request, acts, cancelFirst);
      assert.equal(codeOf(cancelled), cancelFirst ? undefined : REFUSED);
      assert.equal(ended?.status === "fulfilled" && ended.value, !cancelFirst);
      assert.equal(await phaseNow(world, request), cancelFirst ? "COMPLETED" : AWAITING);
      await assertFacts(world.admin, request);
    });
  }
});

Deno.test("a hold that meets the end of the grace period stops it, or comes too late and is refused", async (t) => {
  await using world = await createClockedWorld({ graceMs: DAY });
  for (const holdFirst of [true, false]) {
    await t.step(holdFirst ? "the hold was first" : "the end was first", async () => {
      const { request } = await openErasure(world);
      const hold = () => tell(world, request, "hold", { reason: "a court has asked" });
      const acts: Act[] = [hold, () => fireTimer(world, request, START)];
      const [held] = await meet(world, request, acts, holdFirst);
      assert.equal(codeOf(held), holdFirst ? undefined : REFUSED);
      assert.equal(await phaseNow(world, request), holdFirst ? "PENDING.held" : AWAITING);
      await assertFacts(world.admin, request);
    });
  }
});

Deno.test("a hold that outlasts the grace period keeps the data; its release erases them at once", async () => {
  await using world = await createClockedWorld({ graceMs: DAY });
  const { request } = await openErasure(world);
  await tell(world, request, "hold", { reason: "a court has asked" });
  world.now = new Date(world.now.getTime() + 20 * DAY);
  assert.equal(await fireTimer(world, request, START), false, "there is nothing to fire");
  await tell(world, request, "release");
  await assertFacts(world.admin, request);
  const [timer] = await world
    .admin`select due_at from timers where actor_id = ${request.id} and name = ${START}`;
  assert.deepEqual(timer?.dueAt, world.now);
  assert.ok(await fireTimer(world, request, START));
  assert.equal(await phaseNow(world, request), AWAITING);
  await assert.rejects(tell(world, request, "hold", { reason: "too late" }), { code: REFUSED });
  await assertFacts(world.admin, request);
});

Deno.test("a customer's update that meets the erasure is before it or refused, and leaves no value", async (t) => {
  await using world = await createClockedWorld({ graceMs: 0 });
  const group = await createGroup(world);
  const updates: [type: string, fields: Record<string, unknown>][] = [
    ["profile.update", { email: "late.arrival@example.com", firstName: "Late-Arrival" }],
    ["address.add", { ...ADDRESS, line1: "Late-Arrival 12" }],
    ["group.assign", { groupId: group.id }],
  ];
  for (const [type, fields] of updates) {
    for (const updateFirst of [true, false]) {
      await t.step(`${type} ${updateFirst ? "before" : "behind"} the erasure`, async () => {
        const { customer, request } = await openErasure(world);
        const update = () => tell(world, customer, type, fields, { idempotencyKey: crypto.randomUUID() });
        const acts: Act[] = [update, () => fireTimer(world, request, START)];
        const [updated] = await meet(world, customer, acts, updateFirst);
        assert.equal(codeOf(updated), updateFirst ? undefined : REFUSED);
        assert.equal(await phaseNow(world, request), AWAITING);
        await assertFacts(world.admin, request);
        assert.deepEqual(await tablesWith(world, "Late-Arrival"), []);
        assert.deepEqual(await tablesWith(world, "late.arrival"), []);
        const memberships = await world.admin`
          select 1 from customer_group_memberships where customer_id = ${customer.id}`;
        assert.equal(memberships.length, 0);
        const [row] = await world.admin`select cleared from gdpr_requests where request_id = ${request.id}`;
        assert.deepEqual(row?.cleared.traces, []);
      });
    }
  }
});

Deno.test("two who open a request at once get the same one, and one customer.erasure_requested", async () => {
  await using world = await createClockedWorld({ graceMs: 0 });
  const customer = await register(world);
  const open = () => openRequest(world, customer, "ERASURE");
  const [one, other] = await inOrder(world.admin, lockOf(customer), open, open);
  assert.ok(one?.status === "fulfilled" && other?.status === "fulfilled");
  assert.deepEqual(one.value, other.value);
  const request = one.value as ActorRef;
  await fireTimer(world, request, START);
  await assertFacts(world.admin, request);
  const told = await world.admin`select 1 from outbox where topic = 'customer.erasure_requested'`;
  assert.equal(told.length, 1);
});

Deno.test("an access request that meets the erasure is answered before it, or refused", async (t) => {
  await using world = await createClockedWorld({ graceMs: 0 });
  for (const accessFirst of [true, false]) {
    await t.step(accessFirst ? "the access request was first" : "the erasure was first", async () => {
      const { customer, request } = await openErasure(world);
      const open = () => openRequest(world, customer, "ACCESS");
      const acts: Act[] = [open, () => fireTimer(world, request, START)];
      const [opened] = await meet(world, customer, acts, accessFirst);
      assert.equal(codeOf(opened), accessFirst ? undefined : REFUSED);
      assert.equal(await phaseNow(world, request), accessFirst ? WAITING : AWAITING);
      await assertFacts(world.admin, request);
    });
  }
});

Deno.test("a deadlock ends nothing: the erasure begins again and takes place", async () => {
  await using world = await createClockedWorld({ graceMs: 0 });
  const { customer, request } = await openErasure(world);
  const adversary = await world.admin.reserve();
  try {
    await adversary`begin`;
    await adversary`set local deadlock_timeout = '30s'`; // the other one is to notice, and to give way
    await lockOf(customer)(adversary);
    const beginning = fireTimer(world, request, START);
    await untilWaiting(world.admin, 1);
    await lockOf(request)(adversary);
    await adversary`commit`;
    assert.equal(await beginning, true);
  } finally {
    adversary.release();
  }
  await eventually(async () => {
    const [row] = await world.admin`
      select deadlocks::int as count from pg_stat_database where datname = current_database()`;
    assert.equal(row?.count, 1, "there was one");
  });
  assert.equal(await phaseNow(world, request), AWAITING);
  await assertFacts(world.admin, request);
});

Deno.test("two re-scans at once complete the erasure once, and two confirmations count as one", async () => {
  await using world = await createClockedWorld({ graceMs: 0, participants: ["orders"] });
  const { request } = await openErasure(world);
  await fireTimer(world, request, START);
  const confirm = () => tell(world, request, "participant.confirm", { service: "orders" });
  const confirmed = await inOrder(world.admin, lockOf(request), confirm, confirm);
  assert.deepEqual(confirmed.map(codeOf), [undefined, REFUSED]);

  const [effect] = await world.admin<ClaimedEffect[]>`
    select *, due_at as claimed_until from effects where type = 'erasure.verify'`;
  assert.ok(effect);
  const api = world.database.pool("customer_api");
  const { signal } = new AbortController();
  const verify = () => verifyErasure(effect, { actors: world.actors, sql: api, signal });
  const verified = await inOrder(world.admin, lockOf(request), verify, verify);
  assert.deepEqual(verified.map((end) => end.status === "fulfilled" && end.value), ["done", "done"]);
  assert.equal(await phaseNow(world, request), "COMPLETED");
  await assertFacts(world.admin, request);
});

/** The tables in which a text stands anywhere. */
async function tablesWith({ admin }: ClockedWorld, text: string): Promise<string[]> {
  const tables = await admin`
    select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`;
  const found = await Promise.all(tables.map(async ({ relname }) => {
    const rows = await admin`select 1 from ${admin(relname)} t where position(${text} in t::text) > 0`;
    return rows.length > 0 ? [relname] : [];
  }));
  return found.flat();
}
