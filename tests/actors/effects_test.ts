import assert from "node:assert/strict";
import { ATTEMPTS, startEffectLoop } from "../../actors/runtime/effect_loop.ts";
import { endMemberships } from "../../actors/customers/end_memberships.ts";
import { retryDelay } from "../../actors/runtime/failures.ts";
import { claimEffects, settleEffect } from "../../db/effects.ts";
import { createLookups } from "../../db/lookups.ts";
import { eventually } from "../eventually.ts";
import { byEights, createGroup, createWorld, register, tell, type World } from "./world.ts";

/** What a loop is started with, on pools of this world. */
function workshop(world: World) {
  let now = Date.now();
  return {
    sql: world.database.pool("customer_worker"),
    api: world.database.pool("customer_api"),
    actors: world.actors,
    performers: { "memberships.end": endMemberships },
    pollMs: 10,
    clock: () => new Date(now),
    pass: (ms: number) => now += ms,
  };
}

Deno.test("a deleted group drops out at once; its memberships end in batches, each with its event", async () => {
  await using world = await createWorld();
  const group = await createGroup(world, { name: "Gold" });
  const members = await byEights(Array(450), () => register(world));
  await byEights(members, (ref) => tell(world, ref, "group.assign", { groupId: group.id }));
  const lookups = createLookups(world.database.pool("customer_reader"));

  await tell(world, group, "group.delete", {}, { by: world.staff });
  const [first] = members;
  assert.ok(first);
  const found = await lookups.findCustomerGroups({ storeId: world.storeId, customerId: first.id });
  assert.deepEqual(found?.memberships, [], "before any membership has ended");

  await using _one = startEffectLoop(workshop(world));
  await using _two = startEffectLoop(workshop(world));
  await eventually(async () => {
    const [left] = await world.admin`
      select (select count(*)::int from customer_group_memberships) as members, state from effects`;
    assert.deepEqual({ ...left }, { members: 0, state: "DONE" });
  }, 30_000);
  const [told] = await world.admin`
    select count(distinct key)::int as customers, count(*)::int as events from outbox
    where topic = 'customer.group_removed' and payload ->> 'groupId' = ${group.id}`;
  assert.deepEqual({ ...told }, { customers: 450, events: 450 });
  await createGroup(world, { name: "Gold" }); // the name is free again
});

Deno.test("an effect that fails is tried again later, and given up and shown as such at the limit", async () => {
  await using world = await createWorld();
  await tell(world, await createGroup(world), "group.delete");
  const setting = workshop(world);
  let attempts = 0;
  const failing = () => {
    attempts++;
    throw new Error("the peer is away");
  };
  await using loop = startEffectLoop({ ...setting, performers: { "memberships.end": failing } });
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    await eventually(async () => {
      const [row] = await world.admin`select attempts, last_error, due_at, state from effects`;
      assert.deepEqual([row?.attempts, row?.lastError], [attempt, "Error: the peer is away"]);
      if (attempt === ATTEMPTS) assert.equal(row?.state, "POISONED");
      else assert.ok(row?.dueAt > setting.clock(), "not at once");
    });
    setting.pass(retryDelay(attempt, () => 1));
    loop.wake();
  }
  setting.pass(24 * 60 * 60 * 1000);
  assert.equal((await claimEffects(setting.sql, setting.clock(), setting.clock(), 10)).length, 0);
  assert.equal(attempts, ATTEMPTS);
});

Deno.test("an effect whose claimant has died is performed by another, and the late outcome does not count", async () => {
  await using world = await createWorld();
  await tell(world, await createGroup(world), "group.delete");
  const { sql, clock, pass } = workshop(world);
  const [dead] = await claimEffects(sql, clock(), new Date(clock().getTime() + 1_000), 10);
  assert.ok(dead);
  assert.equal((await claimEffects(sql, clock(), clock(), 10)).length, 0, "not while the claim holds");
  pass(1_000);
  const [alive] = await claimEffects(sql, clock(), new Date(clock().getTime() + 1_000), 10);
  assert.equal(alive?.effectId, dead.effectId);
  assert.ok(alive);

  assert.equal(await settleEffect(sql, dead, { state: "POISONED", lastError: "late" }), false);
  assert.equal(await settleEffect(sql, alive, { state: "DONE", finishedAt: clock(), lastError: null }), true);
  const [row] = await world.admin`select state, last_error from effects`;
  assert.deepEqual({ ...row }, { state: "DONE", lastError: null });
});

Deno.test("an effect that takes longer than its claim keeps it, and is performed once", async () => {
  await using world = await createWorld();
  await tell(world, await createGroup(world), "group.delete");
  const release = Promise.withResolvers<void>();
  let performed = 0;
  const long = async () => {
    performed++;
    await release.promise;
    return "done" as const;
  };
  const setting = { ...workshop(world), claimMs: 90, performers: { "memberships.end": long } };
  await using _one = startEffectLoop(setting);
  await using _two = startEffectLoop(setting);
  const claimedUntil = async () =>
    (await world.admin`select due_at, attempts from effects`)[0]?.dueAt as Date;
  await eventually(() => assert.equal(performed, 1));
  for (let claims = 0; claims < 5; claims++) {
    setting.pass(89);
    await eventually(async () =>
      assert.deepEqual(await claimedUntil(), new Date(setting.clock().getTime() + 90))
    );
  }
  release.resolve();
  await eventually(async () => {
    const [row] = await world.admin`select state, attempts from effects`;
    assert.deepEqual({ ...row }, { state: "DONE", attempts: 1 });
  });
  assert.equal(performed, 1);
});

Deno.test("an effect whose claim is another's now is told to end, and its outcome does not count", async () => {
  await using world = await createWorld();
  await tell(world, await createGroup(world), "group.delete");
  const setting = workshop(world);
  const ended = Promise.withResolvers<void>();
  const long = (_effect: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise<"done">((resolve) => {
      signal.addEventListener("abort", () => resolve("done"), { once: true });
      signal.addEventListener("abort", () => ended.resolve(), { once: true });
    });
  await using loop = startEffectLoop({ ...setting, claimMs: 90, performers: { "memberships.end": long } });
  await eventually(async () =>
    assert.equal((await world.admin`select 1 from effects where attempts = 1`).length, 1)
  );
  const others = new Date(setting.clock().getTime() + 3_600_000);
  await world.admin`update effects set due_at = ${others}, attempts = 2`;
  await ended.promise;
  await loop[Symbol.asyncDispose]();
  const [row] = await world.admin`select state, attempts, due_at from effects`;
  assert.deepEqual({ ...row }, { state: "PENDING", attempts: 2, dueAt: others });
});

Deno.test("a slow effect does not keep the others waiting", async () => {
  await using world = await createWorld();
  const slow = await createGroup(world);
  await tell(world, slow, "group.delete");
  const setting = workshop(world);
  const release = Promise.withResolvers<void>();
  const waitsForRelease = async ({ actorId }: { actorId: string }) => {
    if (actorId === slow.id) await release.promise;
    return "done" as const;
  };
  await using loop = startEffectLoop({ ...setting, performers: { "memberships.end": waitsForRelease } });
  await eventually(async () =>
    assert.equal((await world.admin`select 1 from effects where attempts = 1`).length, 1)
  );
  const quick = await createGroup(world);
  await tell(world, quick, "group.delete");
  setting.pass(1_000);
  loop.wake();
  await eventually(async () => {
    const done = await world.admin`select actor_id from effects where state = 'DONE'`;
    assert.deepEqual(done.map((row) => row.actorId), [quick.id]);
  });
  release.resolve();
});

Deno.test("the wait before the next attempt doubles up to half an hour and is spread at random", () => {
  assert.deepEqual([1, 2, 3, 20].map((attempt) => retryDelay(attempt, () => 1)), [
    1_000,
    2_000,
    4_000,
    1_800_000,
  ]);
  assert.equal(retryDelay(3, () => 0), 2_000);
});
