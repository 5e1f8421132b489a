/** Delays of a machine as rows: with a customer that is let back in a minute after it was suspended. */
import assert from "node:assert/strict";
import { setup } from "xstate";
import { createCustomerBehavior } from "../../actors/customers/customer_behavior.ts";
import {
  type CustomerContext,
  type CustomerEvent,
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

const impatientMachine = setup({
  types: { context: {} as CustomerContext, events: {} as CustomerEvent },
}).createMachine({
  id: "impatient_customer@1",
  context: { addresses: 0, groups: 0 },
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

/** Actors with a clock that the test moves. */
async function createImpatientWorld() {
  const world = await createWorld();
  let now = Date.now();
  const clock = () => new Date(now);
  const customer = createCustomerBehavior(await requestSettings());
  const behavior = {
    ...customer,
    lock: async (...args: Parameters<typeof customer.lock>) => {
      const found = await customer.lock(...args);
      if (!found) return undefined;
      const { value, context } = found.snapshot;
      return {
        ...found,
        machine: impatientMachine,
        snapshot: impatientMachine.resolveState({ value, context }),
      };
    },
  };
  const actors = createRuntime(world.database.pool("customer_api"), {
    toMessages,
    behaviors: { customer: behavior },
    clock,
  });
  const sql = world.database.pool("customer_worker");
  return { ...world, actors, sql, clock, pass: (ms: number) => now += ms };
}

Deno.test("a delay becomes a timer, which fires when it is due, by the service's own hand", async () => {
  await using world = await createImpatientWorld();
  const ref = await register(world);
  await tell(world, ref, "account.suspend");
  const [timer] = await world.admin`select due_at, event from timers where actor_id = ${ref.id}`;
  assert.equal(timer?.dueAt.getTime(), world.clock().getTime() + MINUTE);

  await using loop = startTimerLoop({ ...world, pollMs: 10 });
  world.pass(MINUTE - 1);
  loop.wake();
  assert.equal(await statusOf(world, ref.id), "SUSPENDED");
  world.pass(1);
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

Deno.test("leaving the state cancels its timer, entering it again starts the delay again", async () => {
  await using world = await createImpatientWorld();
  const ref = await register(world);
  await tell(world, ref, "account.suspend");
  await tell(world, ref, "account.reinstate");
  assert.equal((await world.admin`select 1 from timers`).length, 0);
  world.pass(MINUTE / 2);
  await tell(world, ref, "account.suspend");
  const [timer] = await world.admin`select due_at from timers`;
  assert.equal(timer?.dueAt.getTime(), world.clock().getTime() + MINUTE);
});

Deno.test("a timer that comes too late is dropped, and the actor does not hear of it", async () => {
  await using world = await createImpatientWorld();
  const ref = await register(world);
  await tell(world, ref, "account.suspend");
  world.pass(MINUTE);
  const [claimed] = await claimTimers(
    world.sql,
    world.clock(),
    new Date(world.clock().getTime() + MINUTE),
    10,
  );
  assert.ok(claimed);

  await tell(world, ref, "account.close"); // between the claim and the firing
  assert.equal(await world.actors.fire(claimed), false);
  assert.equal(await statusOf(world, ref.id), "CLOSED");
  const [journal] = await world
    .admin`select max(sequence) as last from actor_events where actor_id = ${ref.id}`;
  assert.equal(journal?.last, 3);
});

Deno.test("a late timer whose row has survived is refused by the state, taken away and written nowhere", async () => {
  await using world = await createImpatientWorld();
  const ref = await register(world);
  await world.admin`
    insert into timers (store_id, actor_kind, actor_id, name, event, due_at, created_at)
    values (${ref.storeId}, 'customer', ${ref.id}, 'stray',
      '{"type":"xstate.after.60000.impatient_customer@1.suspended"}',
      ${world.clock()}, ${world.clock()})`;
  const [claimed] = await claimTimers(
    world.sql,
    world.clock(),
    new Date(world.clock().getTime() + MINUTE),
    10,
  );
  assert.ok(claimed);
  assert.equal(await world.actors.fire(claimed), false);
  assert.equal((await world.admin`select 1 from timers`).length, 0);
  assert.equal(await statusOf(world, ref.id), "ACTIVE");
});

Deno.test("of replicas that look at once each timer is claimed by one, and fired once", async () => {
  await using world = await createImpatientWorld();
  const refs = await Promise.all(Array.from({ length: 30 }, () => register(world)));
  await Promise.all(refs.map((ref) => tell(world, ref, "account.suspend")));
  world.pass(MINUTE);
  await using _one = startTimerLoop({ ...world, pollMs: 10 });
  await using _two = startTimerLoop({ ...world, sql: world.database.pool("customer_worker"), pollMs: 10 });
  await eventually(async () => assert.equal((await world.admin`select 1 from timers`).length, 0));
  const counts = await world.admin`select count(*)::int as count from actor_events group by actor_id`;
  assert.deepEqual(counts.map((row) => row.count), refs.map(() => 3));
});

Deno.test("a timer whose claimant has died is due again when the claim ends", async () => {
  await using world = await createImpatientWorld();
  const ref = await register(world);
  await tell(world, ref, "account.suspend");
  world.pass(MINUTE);
  const claimedUntil = new Date(world.clock().getTime() + MINUTE);
  const [abandoned] = await claimTimers(world.sql, world.clock(), claimedUntil, 10);
  assert.ok(abandoned);
  const early = await claimTimers(world.sql, world.clock(), claimedUntil, 10);
  assert.equal(early.length, 0, "not while the claim holds");
  world.pass(MINUTE);
  await using _loop = startTimerLoop({ ...world, pollMs: 10 });
  await eventually(async () => assert.equal(await statusOf(world, ref.id), "ACTIVE"));
  assert.equal(await world.actors.fire(abandoned), false, "the dead one's claim counts no more");
});

Deno.test("the customer's own machine has no delay, so no timer waits for a customer", () => {
  const delayed = Object.values(customerMachine.states).filter((state) => state.after.length > 0);
  assert.deepEqual(delayed, []);
});

async function statusOf({ admin }: World, customerId: string): Promise<string> {
  const [row] = await admin`select status from customers where customer_id = ${customerId}`;
  return row?.status;
}
