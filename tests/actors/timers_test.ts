/** Timers: a customer machine that reinstates a customer a minute after its suspension. */
import assert from "node:assert/strict";
import { setup } from "xstate";
import { createCustomerBehavior } from "../../actors/customers/customer_behavior.ts";
import {
  type CustomerCommandEvent,
  type CustomerContext,
  customerMachine,
} from "../../actors/customers/customer_machine.ts";
import { toMessages } from "../../actors/messages.ts";
import { createRuntime } from "../../actors/runtime/mod.ts";
import { startTimerLoop } from "../../actors/runtime/timer_loop.ts";
import { claimTimers } from "../../db/timers.ts";
import { eventually } from "../eventually.ts";
import { requestSettings } from "./settings.ts";
import { createWorld, register, tell, type World } from "./world.ts";

const MINUTE = 60_000;

const timedMachine = setup({
  types: { context: {} as CustomerContext, events: {} as CustomerCommandEvent },
}).createMachine({
  id: "timed_customer@1",
  context: { addresses: 0, groups: 0, holds: 0 },
  initial: "active",
  states: {
    active: { on: { "account.suspend": "suspended" } },
    suspended: {
      after: { [MINUTE]: "active" },
      on: { "account.reinstate": "active", "account.close": "closed" },
    },
    closed: { on: { "account.reinstate": "active" } },
    anonymized: { type: "final" },
  },
});

/** A world with a clock that the test advances. */
async function createTimedWorld() {
  const world = await createWorld();
  let now = Date.now();
  const clock = () => new Date(now);
  const customer = createCustomerBehavior(await requestSettings());
  const behavior = {
    ...customer,
    restore: (row: Parameters<typeof customer.restore>[0]) => {
      const found = customer.restore(row);
      const { value, context } = found.snapshot;
      return {
        ...found,
        machine: timedMachine,
        snapshot: timedMachine.resolveState({ value, context }),
      };
    },
  };
  const actors = createRuntime(world.database.pool("customer_api"), {
    hashKey: (await requestSettings()).hashKey,
    toMessages,
    behaviors: { customer: behavior },
    clock,
  });
  const sql = world.database.pool("customer_worker");
  return { ...world, actors, sql, clock, advance: (ms: number) => now += ms };
}

Deno.test("a delay is stored as a timer, which fires as SYSTEM when it is due", async () => {
  await using world = await createTimedWorld();
  const ref = await register(world);
  await tell(world, ref, "account.suspend");
  const [timer] = await world.admin`select due_at, event from timers where actor_id = ${ref.id}`;
  assert.equal(timer?.dueAt.getTime(), world.clock().getTime() + MINUTE);

  await using loop = startTimerLoop({ ...world, pollMs: 10 });
  world.advance(MINUTE - 1);
  loop.wake();
  assert.equal(await statusOf(world, ref.id), "SUSPENDED");
  world.advance(1);
  loop.wake();
  await eventually(async () => assert.equal(await statusOf(world, ref.id), "ACTIVE"));
  const [entry] = await world.admin`
    select event_type, state_before, state_after, principal_type, sequence from actor_events
    where actor_id = ${ref.id} order by sequence desc limit 1`;
  assert.deepEqual({ ...entry }, {
    eventType: timer?.event.type,
    stateBefore: "suspended",
    stateAfter: "active",
    principalType: "SYSTEM",
    sequence: 3,
  });
  assert.equal((await world.admin`select 1 from timers`).length, 0);
});

Deno.test("leaving the state cancels its timer, and entering it again starts a new delay", async () => {
  await using world = await createTimedWorld();
  const ref = await register(world);
  await tell(world, ref, "account.suspend");
  await tell(world, ref, "account.reinstate");
  assert.equal((await world.admin`select 1 from timers`).length, 0);
  world.advance(MINUTE / 2);
  await tell(world, ref, "account.suspend");
  const [timer] = await world.admin`select due_at from timers`;
  assert.equal(timer?.dueAt.getTime(), world.clock().getTime() + MINUTE);
});

Deno.test("a timer that was canceled after its claim does not fire", async () => {
  await using world = await createTimedWorld();
  const ref = await register(world);
  await tell(world, ref, "account.suspend");
  world.advance(MINUTE);
  const [claimed] = await claimTimers(world.sql, {
    now: world.clock(),
    claimedUntil: new Date(world.clock().getTime() + MINUTE),
    limit: 10,
  });
  assert.ok(claimed);

  await tell(world, ref, "account.close"); // after the claim
  assert.equal(await world.actors.fire(claimed), false);
  assert.equal(await statusOf(world, ref.id), "CLOSED");
  const [journal] = await world
    .admin`select max(sequence) as last from actor_events where actor_id = ${ref.id}`;
  assert.equal(journal?.last, 3);
});

Deno.test("a timer that the state refuses is deleted and not recorded", async () => {
  await using world = await createTimedWorld();
  const ref = await register(world);
  await world.admin`
    insert into timers (store_id, actor_kind, actor_id, name, event, due_at, created_at)
    values (${ref.storeId}, 'customer', ${ref.id}, 'stale',
      '{"type":"xstate.after.60000.timed_customer@1.suspended"}',
      ${world.clock()}, ${world.clock()})`;
  const [claimed] = await claimTimers(world.sql, {
    now: world.clock(),
    claimedUntil: new Date(world.clock().getTime() + MINUTE),
    limit: 10,
  });
  assert.ok(claimed);
  assert.equal(await world.actors.fire(claimed), false);
  assert.equal((await world.admin`select 1 from timers`).length, 0);
  assert.equal(await statusOf(world, ref.id), "ACTIVE");
});

Deno.test("concurrent replicas fire each timer once", async () => {
  await using world = await createTimedWorld();
  const refs = await Promise.all(Array.from({ length: 30 }, () => register(world)));
  await Promise.all(refs.map((ref) => tell(world, ref, "account.suspend")));
  world.advance(MINUTE);
  await using _one = startTimerLoop({ ...world, pollMs: 10 });
  await using _two = startTimerLoop({ ...world, sql: world.database.pool("customer_worker"), pollMs: 10 });
  await eventually(async () => assert.equal((await world.admin`select 1 from timers`).length, 0));
  const counts = await world.admin`select count(*)::int as count from actor_events group by actor_id`;
  assert.deepEqual(counts.map((row) => row.count), refs.map(() => 3));
});

Deno.test("a timer is due again when its claim expires", async () => {
  await using world = await createTimedWorld();
  const ref = await register(world);
  await tell(world, ref, "account.suspend");
  world.advance(MINUTE);
  const claimedUntil = new Date(world.clock().getTime() + MINUTE);
  const [expired] = await claimTimers(world.sql, { now: world.clock(), claimedUntil, limit: 10 });
  assert.ok(expired);
  const early = await claimTimers(world.sql, { now: world.clock(), claimedUntil, limit: 10 });
  assert.equal(early.length, 0, "not before the claim expires");
  world.advance(MINUTE);
  await using _loop = startTimerLoop({ ...world, pollMs: 10 });
  await eventually(async () => assert.equal(await statusOf(world, ref.id), "ACTIVE"));
  assert.equal(await world.actors.fire(expired), false, "the expired claim is invalid");
});

Deno.test("the customer machine has no delays, so it has no timers", () => {
  const delayed = Object.values(customerMachine.states).filter((state) => state.after.length > 0);
  assert.deepEqual(delayed, []);
});

async function statusOf({ admin }: World, customerId: string): Promise<string> {
  const [row] = await admin`select status from customers where customer_id = ${customerId}`;
  return row?.status;
}
