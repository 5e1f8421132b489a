/** Retention of closed accounts: their erasure is announced and starts by itself, and a reinstatement stops it. */
import assert from "node:assert/strict";
import { findDueAccounts, sweepBatch } from "../../actors/gdpr/retention.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { exportReceipt } from "../../actors/gdpr/receipts/receipt.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { claimSweep, scheduleSweep } from "../../db/retention.ts";
import { mapConcurrently, register, shopper, tell } from "../actors/world.ts";
import { assertInvariants } from "./invariants.ts";
import { createManualClockWorld, DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";
import { errorCode, openRequest, type Operation, race, readPhase, REFUSED, START } from "./race.ts";
import { createRequestFixture } from "./request_fixture.ts";
import { runTask } from "./task.ts";

const DAYS = 60;
const NOTICE = 14 * DAY;

async function setRetention(world: ManualClockWorld, days: number | null): Promise<void> {
  const { storeId } = world;
  const settings = { closedAccountRetentionDays: days };
  await tell(world, { kind: "store_settings", storeId, id: storeId }, "settings.change", settings);
}

async function createRetentionWorld() {
  const world = await createManualClockWorld({ graceMs: DAY, participants: [] });
  await setRetention(world, DAYS);
  const pools = {
    sql: world.database.pool("customer_worker"),
    api: world.database.pool("customer_api"),
    actors: world.actors,
    clock: world.clock,
  };
  return Object.assign(world, {
    pools,
    later: (ms: number) => world.now = new Date(world.now.getTime() + ms),
    due: async () =>
      (await Array.fromAsync(findDueAccounts(pools, world.now))).map(({ customerId }) => customerId),
    sweep: () => sweepBatch(pools),
  });
}

async function closeAccount(world: ManualClockWorld): Promise<ActorRef> {
  const customer = await register(world, { firstName: "Ada" });
  await tell(world, customer, "account.close");
  return customer;
}

/** The only request of a customer. */
async function requestOf({ admin, storeId }: ManualClockWorld, { id }: ActorRef) {
  const rows = await admin`
    select request_id, snapshot, outcome from gdpr_requests where customer_id = ${id} order by created_at desc`;
  const ref: ActorRef = { kind: "gdpr_request", storeId, id: rows[0]?.requestId };
  return { ref, count: rows.length, outcome: rows[0]?.outcome, context: rows[0]?.snapshot.context };
}

Deno.test("a closed account is announced, and erased at the end of the retention period", async () => {
  await using world = await createRetentionWorld();
  const fixture = createRequestFixture(world);
  const closed = await closeAccount(world);
  const closedAt = world.now.getTime();
  const held = await closeAccount(world);
  const hold = await tell(world, held, "hold.place", { ground: "LEGAL_OBLIGATION" });
  const requested = await closeAccount(world);
  const own = await openRequest(world, requested, "ERASURE");
  await tell(world, own, "hold", { ground: "LEGAL_CLAIM", reason: "a court order" });
  await register(world); // open
  world.later(DAYS * DAY - NOTICE - 1);
  assert.deepEqual(await world.due(), []);
  assert.equal(await world.sweep(), 0);
  world.later(1);
  const late = await closeAccount(world);
  assert.deepEqual(await world.due(), [closed.id]);
  assert.equal(await world.sweep(), 1);
  assert.deepEqual(await world.due(), []);
  assert.equal(await world.sweep(), 0, "announced once");
  const { ref, context } = await requestOf(world, closed);
  assert.deepEqual([context.cause, context.startsAt], ["RETENTION", closedAt + DAYS * DAY]);
  assert.equal(await readPhase(world, ref), "PENDING.grace");
  const [entrance] = await world.admin`
    select channel, identity_method from gdpr_requests where request_id = ${ref.id}`;
  assert.deepEqual(
    { ...entrance },
    { channel: "OTHER", identityMethod: null },
    "the customer asked for nothing",
  );

  world.later(NOTICE - 1);
  await fixture.work(world.now);
  assert.equal(await readPhase(world, ref), "PENDING.grace");
  world.later(1);
  await fixture.work(world.now);
  assert.equal(await readPhase(world, ref), "COMPLETED");
  await assertInvariants(world.admin, ref);
  const reader = createStoreReader(world.database.pool("customer_api", 1));
  const receipt = await exportReceipt(reader, { storeId: world.storeId, requestId: ref.id });
  assert.deepEqual(receipt?.document.requestedBy, { kind: "RETENTION" });
  assert.equal(receipt?.document.because, "The retention period of the closed account had ended.");

  await tell(world, held, "hold.lift", { holdId: hold.ids.holdId });
  assert.deepEqual(await world.due(), [held.id], "the last hold has ended");
  await world.sweep();
  const { context: afterHold } = await requestOf(world, held);
  assert.equal(afterHold.startsAt, world.now.getTime() + NOTICE, "announced in time");
  await setRetention(world, 1);
  world.later(DAY);
  assert.deepEqual(await world.due(), [late.id], "a new period applies to accounts that were closed before");
  await setRetention(world, null);
  assert.deepEqual(await world.due(), []);
  const refused = tell(world, { ...ref, id: crypto.randomUUID() }, "open", {
    customerId: late.id,
    right: "ERASURE",
    cause: "RETENTION",
  });
  await assert.rejects(refused, { code: REFUSED, message: /keeps closed accounts without an end/ });
});

Deno.test("a batch of the sweep opens at most 50 requests, one after another", async () => {
  await using world = await createRetentionWorld();
  await mapConcurrently(Array.from({ length: 53 }), () => closeAccount(world));
  world.later(DAYS * DAY);
  let [running, most, sent] = [0, 0, 0];
  const send: typeof world.actors.send = async (...command) => {
    most = Math.max(most, ++running);
    sent++;
    try {
      return await world.actors.send(...command);
    } finally {
      running--;
    }
  };
  const sweep = { ...world.pools, actors: { ...world.actors, send } };
  assert.deepEqual([await sweepBatch(sweep), sent, most], [50, 50, 1]);
  assert.deepEqual([await sweepBatch(sweep), sent, most], [3, 53, 1]);
});

Deno.test("a reinstatement ends the announced erasure, also concurrently with its start, and a hold stops it", async (t) => {
  await using world = await createRetentionWorld();
  const fixture = createRequestFixture(world);
  const announce = async () => {
    const customer = await closeAccount(world);
    world.later(DAYS * DAY - NOTICE);
    assert.equal(await world.sweep(), 1);
    return { customer, ...await requestOf(world, customer) };
  };

  await t.step("reinstated, and closed again", async () => {
    const { customer, ref } = await announce();
    await tell(world, customer, "account.reinstate");
    await fixture.work(world.now);
    assert.equal((await requestOf(world, customer)).outcome, "CANCELLED");
    await assertInvariants(world.admin, ref);
    await tell(world, customer, "account.close");
    assert.deepEqual(await world.due(), [], "the period starts again");
    world.later(DAYS * DAY - NOTICE);
    assert.equal(await world.sweep(), 1);
    const again = await requestOf(world, customer);
    assert.equal(again.count, 2);
    await tell(world, again.ref, "cancel", {}, { by: world.officer });
    assert.deepEqual(await world.due(), [], "canceled by staff: not opened again for this closing");
  });

  for (const reinstateFirst of [true, false]) {
    await t.step(reinstateFirst ? "the reinstatement is first" : "the start is first", async () => {
      const { customer, ref } = await announce();
      const operations: [Operation, Operation] = [
        () => tell(world, customer, "account.reinstate"),
        () => fireTimer(world, ref, START),
      ];
      const [reinstated] = await race(world, customer, operations, reinstateFirst);
      assert.equal(errorCode(reinstated), reinstateFirst ? undefined : REFUSED);
      await fixture.work(world.now);
      const { outcome } = await requestOf(world, customer);
      assert.equal(outcome, reinstateFirst ? "CANCELLED" : "FULFILLED");
      await assertInvariants(world.admin, ref);
    });
  }

  await t.step("a hold, and a reinstatement while it is in effect", async () => {
    const { customer, ref } = await announce();
    await tell(world, customer, "hold.place", { ground: "LEGAL_CLAIM" });
    await fixture.work(world.now);
    assert.equal(await readPhase(world, ref), "PENDING.held");
    await tell(world, customer, "account.reinstate");
    await fixture.work(world.now);
    assert.equal((await requestOf(world, customer)).outcome, "CANCELLED");
  });

  await t.step("the cause is for the service itself", async () => {
    const customer = await closeAccount(world);
    const fields = { customerId: customer.id, right: "ERASURE", cause: "RETENTION" };
    for (const by of [world.officer, shopper(customer)]) {
      const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
      await assert.rejects(tell(world, ref, "open", fields, { by }), { code: "FORBIDDEN" });
    }
    await tell(world, customer, "account.reinstate");
    const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
    await assert.rejects(tell(world, ref, "open", fields), {
      code: REFUSED,
      message: /account is not closed/,
    });
  });
});

Deno.test("a sweep works in bounded batches, one replica at a time, and reads no account twice", async () => {
  await using world = await createRetentionWorld();
  const { sql } = world.pools;
  const customers = await Promise.all(Array.from({ length: 60 }, () => closeAccount(world)));
  world.later(DAYS * DAY);
  await world.admin`update customers set closed_at = timestamptz '2020-01-01' + interval '7 microseconds'`;
  const paged = await Array.fromAsync(findDueAccounts(world.pools, world.now, 7));
  assert.deepEqual(
    paged.map(({ customerId }) => customerId).sort(),
    customers.map(({ id }) => id).sort(),
    "pages repeat no account",
  );
  const env = { DATABASE_URL: world.database.url };
  const listed = await runTask("retention", ["--dry-run"], env);
  assert.deepEqual([listed.code, listed.stderr.trim()], [0, "60 accounts"]);
  const lines = listed.stdout.trim().split("\n").map((line) => line.split("\t"));
  assert.deepEqual(lines.map(([storeId]) => storeId), customers.map(() => world.storeId));
  assert.deepEqual(lines.map(([, id]) => id).sort(), customers.map(({ id }) => id).sort());
  assert.equal((await runTask("retention", [], env)).code, 1, "the task alone does nothing");
  assert.equal(await world.sweep(), 50);
  assert.equal(await world.sweep(), 10);
  assert.equal(await world.sweep(), 0);
  const [row] = await world.admin`select count(*)::int as count from gdpr_requests`;
  assert.equal(row?.count, customers.length);

  const inAMinute = () => new Date(Date.now() + 60_000);
  assert.equal(await claimSweep(sql, inAMinute()), true);
  assert.equal(await claimSweep(sql, inAMinute()), false, "claimed by another replica");
  await scheduleSweep(sql, new Date(0));
  assert.equal(await claimSweep(sql, inAMinute()), true);
});
