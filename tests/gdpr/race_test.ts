/** Concurrent operations on the same rows, in both orders. */
import assert from "node:assert/strict";
import { verifyErasure } from "../../actors/gdpr/effects/verify.ts";
import type { ActorRef } from "../../actors/commands.ts";
import type { ClaimedEffect } from "../../db/effects.ts";
import { ADDRESS, createGroup, register, shopper, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { createManualClockWorld, DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";
import { assertInvariants } from "./invariants.ts";
import {
  AWAITING,
  errorCode,
  openErasure,
  openRequest,
  type Operation,
  race,
  readPhase,
  REFUSED,
  rowLock,
  runInOrder,
  START,
  waitForLockWaiters,
  WAITING,
} from "./race.ts";

Deno.test("a cancel concurrent with the end of the grace period cancels with the data intact, or is refused", async (t) => {
  await using world = await createManualClockWorld({ graceMs: DAY });
  for (const cancelFirst of [true, false]) {
    await t.step(cancelFirst ? "the cancel is first" : "the end is first", async () => {
      const { customer, request } = await openErasure(world);
      const cancel = () => tell(world, request, "cancel", {}, { by: shopper(customer) });
      const operations: [Operation, Operation] = [cancel, () => fireTimer(world, request, START)];
      const [canceled, ended] = await race(world, request, operations, cancelFirst);
      assert.equal(errorCode(canceled), cancelFirst ? undefined : REFUSED);
      assert.equal(ended?.status === "fulfilled" && ended.value, !cancelFirst);
      assert.equal(await readPhase(world, request), cancelFirst ? "COMPLETED" : AWAITING);
      await assertInvariants(world.admin, request);
    });
  }
});

Deno.test("a hold concurrent with the end of the grace period stops the erasure, or is refused", async (t) => {
  await using world = await createManualClockWorld({ graceMs: DAY });
  for (const holdFirst of [true, false]) {
    await t.step(holdFirst ? "the hold is first" : "the end is first", async () => {
      const { request } = await openErasure(world);
      const hold = () => tell(world, request, "hold", { ground: "LEGAL_CLAIM", reason: "a court order" });
      const operations: [Operation, Operation] = [hold, () => fireTimer(world, request, START)];
      const [held] = await race(world, request, operations, holdFirst);
      assert.equal(errorCode(held), holdFirst ? undefined : REFUSED);
      assert.equal(await readPhase(world, request), holdFirst ? "PENDING.held" : AWAITING);
      await assertInvariants(world.admin, request);
    });
  }
});

Deno.test("a hold beyond the grace period keeps the data; its release erases them immediately", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY });
  const { request } = await openErasure(world);
  await tell(world, request, "hold", { ground: "LEGAL_CLAIM", reason: "a court order" });
  world.now = new Date(world.now.getTime() + 20 * DAY);
  assert.equal(await fireTimer(world, request, START), false, "a held request has no timer");
  await tell(world, request, "release");
  await assertInvariants(world.admin, request);
  const [timer] = await world
    .admin`select due_at from timers where actor_id = ${request.id} and name = ${START}`;
  assert.deepEqual(timer?.dueAt, world.now);
  assert.ok(await fireTimer(world, request, START));
  assert.equal(await readPhase(world, request), AWAITING);
  await assert.rejects(tell(world, request, "hold", { ground: "LEGAL_CLAIM", reason: "too late" }), {
    code: REFUSED,
  });
  await assertInvariants(world.admin, request);
});

Deno.test("an update concurrent with the erasure is applied before it or refused, and no value remains", async (t) => {
  await using world = await createManualClockWorld({ graceMs: 0 });
  const group = await createGroup(world);
  const updates: [type: string, fields: Record<string, unknown>][] = [
    ["profile.update", { email: "late.arrival@example.com", firstName: "Late-Arrival" }],
    ["address.add", { ...ADDRESS, line1: "Late-Arrival 12" }],
    ["group.assign", { groupId: group.id }],
  ];
  for (const [type, fields] of updates) {
    for (const updateFirst of [true, false]) {
      await t.step(`${type} ${updateFirst ? "before" : "after"} the erasure`, async () => {
        const { customer, request } = await openErasure(world);
        const update = () => tell(world, customer, type, fields, { idempotencyKey: crypto.randomUUID() });
        const operations: [Operation, Operation] = [update, () => fireTimer(world, request, START)];
        const [updated] = await race(world, customer, operations, updateFirst);
        assert.equal(errorCode(updated), updateFirst ? undefined : REFUSED);
        assert.equal(await readPhase(world, request), AWAITING);
        await assertInvariants(world.admin, request);
        assert.deepEqual(await tablesWith(world, "Late-Arrival"), []);
        assert.deepEqual(await tablesWith(world, "late.arrival"), []);
        const memberships = await world.admin`
          select 1 from customer_group_memberships where customer_id = ${customer.id}`;
        assert.equal(memberships.length, 0);
      });
    }
  }
});

Deno.test("two concurrent openings return the same request, and publish one customer.erasure_requested", async () => {
  await using world = await createManualClockWorld({ graceMs: 0 });
  const customer = await register(world);
  const open = () => openRequest(world, customer, "ERASURE");
  const [one, other] = await runInOrder(world.admin, rowLock(customer), open, open);
  assert.ok(one?.status === "fulfilled" && other?.status === "fulfilled");
  assert.deepEqual(one.value, other.value);
  const request = one.value as ActorRef;
  await fireTimer(world, request, START);
  await assertInvariants(world.admin, request);
  const events = await world.admin`select 1 from outbox where topic = 'customer.erasure_requested'`;
  assert.equal(events.length, 1);
});

Deno.test("an access request concurrent with the erasure is opened before it, or refused", async (t) => {
  await using world = await createManualClockWorld({ graceMs: 0 });
  for (const accessFirst of [true, false]) {
    await t.step(accessFirst ? "the access request is first" : "the erasure is first", async () => {
      const { customer, request } = await openErasure(world);
      const open = () => openRequest(world, customer, "ACCESS");
      const operations: [Operation, Operation] = [open, () => fireTimer(world, request, START)];
      const [opened] = await race(world, customer, operations, accessFirst);
      assert.equal(errorCode(opened), accessFirst ? undefined : REFUSED);
      assert.equal(await readPhase(world, request), accessFirst ? WAITING : AWAITING);
      await assertInvariants(world.admin, request);
    });
  }
});

Deno.test("an erasure that PostgreSQL aborts because of a deadlock is retried", async () => {
  await using world = await createManualClockWorld({ graceMs: 0 });
  const { customer, request } = await openErasure(world);
  const adversary = await world.admin.reserve();
  try {
    await adversary`begin`;
    await adversary`set local deadlock_timeout = '30s'`; // so PostgreSQL aborts the erasure, not this session
    await rowLock(customer)(adversary);
    const starting = fireTimer(world, request, START);
    await waitForLockWaiters(world.admin, 1);
    await rowLock(request)(adversary);
    await adversary`commit`;
    assert.equal(await starting, true);
  } finally {
    adversary.release();
  }
  await eventually(async () => {
    const [row] = await world.admin`
      select deadlocks::int as count from pg_stat_database where datname = current_database()`;
    assert.equal(row?.count, 1, "one deadlock");
  });
  assert.equal(await readPhase(world, request), AWAITING);
  await assertInvariants(world.admin, request);
});

Deno.test("two concurrent re-scans complete the erasure once, and a second confirmation is refused", async () => {
  await using world = await createManualClockWorld({ graceMs: 0, participants: ["orders"] });
  const { request } = await openErasure(world);
  await fireTimer(world, request, START);
  const confirm = () => tell(world, request, "participant.confirm", { service: "orders" });
  const confirmed = await runInOrder(world.admin, rowLock(request), confirm, confirm);
  assert.deepEqual(confirmed.map(errorCode), [undefined, REFUSED]);

  const [effect] = await world.admin<ClaimedEffect[]>`
    select *, due_at as claimed_until from effects where type = 'erasure.verify'`;
  assert.ok(effect);
  const api = world.database.pool("customer_api");
  const { signal } = new AbortController();
  const verify = () => verifyErasure(effect, { actors: world.actors, sql: api, signal });
  const verified = await runInOrder(world.admin, rowLock(request), verify, verify);
  assert.deepEqual(verified.map((end) => end.status === "fulfilled" && end.value), ["done", "done"]);
  assert.equal(await readPhase(world, request), "COMPLETED");
  await assertInvariants(world.admin, request);
});

Deno.test("two concurrent operations on a notice end in one state, and a settled notice has no sealed recipient", async (t) => {
  await using world = await createManualClockWorld({ graceMs: DAY });
  const EXPIRY = "xstate.after.UNTIL_EXPIRED.gdpr_notice@1.due";
  type On = (notice: ActorRef, request: ActorRef) => Promise<unknown>;
  const operations: Record<string, On> = {
    deliver: (notice) => tell(world, notice, "deliver"),
    bounce: (notice) => tell(world, notice, "bounce"),
    waive: (notice) => tell(world, notice, "waive", { waiver: "SENT_BY_LETTER" }, { by: world.officer }),
    expire: (notice) => fireTimer(world, notice, EXPIRY),
    erase: (_, request) => fireTimer(world, request, START),
  };
  const races: [first: string, second: string, delivery: string, refused?: true][] = [
    ["deliver", "waive", "DELIVERED", true],
    ["waive", "deliver", "DELIVERED"],
    ["deliver", "bounce", "UNDELIVERABLE"],
    ["bounce", "deliver", "DELIVERED"],
    ["bounce", "waive", "WAIVED"],
    ["waive", "bounce", "WAIVED"],
    ["deliver", "expire", "DELIVERED"],
    ["waive", "expire", "WAIVED"],
    ["bounce", "expire", "UNDELIVERABLE"],
    ["expire", "deliver", "DELIVERED"],
    ["expire", "waive", "WAIVED"],
    ["expire", "bounce", "UNDELIVERABLE"],
    ["erase", "deliver", "DELIVERED"],
    ["deliver", "erase", "DELIVERED"],
    ["erase", "bounce", "UNDELIVERABLE"],
    ["bounce", "erase", "UNDELIVERABLE"],
    ["erase", "waive", "WAIVED"],
    ["waive", "erase", "WAIVED"],
  ];
  for (const [first, second, delivery, refused] of races) {
    await t.step(`${first}, then ${second}`, async () => {
      const { request } = await openErasure(world);
      const [{ noticeId } = {}] = await world
        .admin`select notice_id from gdpr_notices where request_id = ${request.id}`;
      const notice = { ...request, kind: "gdpr_notice" as const, id: noticeId as string };
      const [one, other] = [first, second].map((name) => () => operations[name]!(notice, request));
      const results = await runInOrder(world.admin, rowLock(notice), one!, other!);
      assert.deepEqual(results.map(errorCode), [undefined, refused && REFUSED]);
      const [row] = await world.admin`select * from gdpr_notices where notice_id = ${notice.id}`;
      assert.deepEqual([row?.delivery, row?.sealedRecipient], [delivery, null]);
      const journal = await world.admin`select from actor_events where actor_id = ${notice.id}`;
      assert.equal(journal.length, row?.version, "each change is recorded once");
      if ([first, second].includes("erase")) assert.equal(await readPhase(world, request), AWAITING);
      await assertInvariants(world.admin, request);
    });
  }
});

/** Names of the tables that contain a string. */
async function tablesWith({ admin }: ManualClockWorld, text: string): Promise<string[]> {
  const tables = await admin`
    select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`;
  const names = await Promise.all(tables.map(async ({ relname }) => {
    const rows = await admin`select 1 from ${admin(relname)} t where position(${text} in t::text) > 0`;
    return rows.length > 0 ? [relname] : [];
  }));
  return names.flat();
}
