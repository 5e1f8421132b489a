import assert from "node:assert/strict";
import { ATTEMPTS, startEffectLoop } from "../../actors/runtime/effect_loop.ts";
import { endMemberships } from "../../actors/customers/end_memberships.ts";
import { retryDelay } from "../../actors/runtime/failures.ts";
import { claimEffects, settleEffect } from "../../db/effects.ts";
import { createLookups } from "../../db/lookups.ts";
import { eventually } from "../eventually.ts";
import { createGroup, createWorld, mapConcurrently, register, tell, type World } from "./world.ts";

/** Options of an effect loop, with a clock that the test controls. */
function loopOptions(world: World) {
  let now = Date.now();
  return {
    sql: world.database.pool("customer_worker"),
    api: world.database.pool("customer_api"),
    actors: world.actors,
    performers: { "memberships.end": endMemberships },
    pollMs: 10,
    clock: () => new Date(now),
    advance: (ms: number) => now += ms,
  };
}

Deno.test("a deleted group disappears at once, and its memberships end in batches with one event each", async () => {
  await using world = await createWorld();
  const group = await createGroup(world, { name: "Gold" });
  const members = await mapConcurrently(Array(450), () => register(world));
  await mapConcurrently(members, (ref) => tell(world, ref, "group.assign", { groupId: group.id }));
  const lookups = createLookups(world.database.pool("customer_reader"));

  await tell(world, group, "group.delete", {}, { by: world.staff });
  const [first] = members;
  assert.ok(first);
  const customer = await lookups.findCustomerGroups({ storeId: world.storeId, customerId: first.id });
  assert.deepEqual(customer?.memberships, [], "before the first batch");

  await using _one = startEffectLoop(loopOptions(world));
  await using _two = startEffectLoop(loopOptions(world));
  await eventually(async () => {
    const [counts] = await world.admin`
      select (select count(*)::int from customer_group_memberships) as members, state from effects`;
    assert.deepEqual({ ...counts }, { members: 0, state: "DONE" });
  }, 30_000);
  const [published] = await world.admin`
    select count(distinct key)::int as customers, count(*)::int as events from outbox
    where topic = 'customer.group_removed' and payload ->> 'groupId' = ${group.id}`;
  assert.deepEqual({ ...published }, { customers: 450, events: 450 });
  await createGroup(world, { name: "Gold" }); // the name is available again
});

Deno.test("a failing effect is retried after a delay, and becomes POISONED at the limit of attempts", async () => {
  await using world = await createWorld();
  await tell(world, await createGroup(world), "group.delete");
  const options = loopOptions(world);
  let attempts = 0;
  const failing = () => {
    attempts++;
    throw new Error("the participant is unreachable");
  };
  await using loop = startEffectLoop({ ...options, performers: { "memberships.end": failing } });
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    await eventually(async () => {
      const [row] = await world.admin`select attempts, last_error, due_at, state from effects`;
      assert.deepEqual([row?.attempts, row?.lastError], [attempt, "Error: the participant is unreachable"]);
      if (attempt === ATTEMPTS) assert.equal(row?.state, "POISONED");
      else assert.ok(row?.dueAt > options.clock(), "not before a delay");
    });
    options.advance(retryDelay(attempt, () => 1));
    loop.wake();
  }
  options.advance(24 * 60 * 60 * 1000);
  assert.equal(
    (await claimEffects(options.sql, { now: options.clock(), claimedUntil: options.clock(), limit: 10 }))
      .length,
    0,
  );
  assert.equal(attempts, ATTEMPTS);
});

Deno.test("an effect with an expired claim is performed by another worker, and the late outcome is ignored", async () => {
  await using world = await createWorld();
  await tell(world, await createGroup(world), "group.delete");
  const { sql, clock, advance } = loopOptions(world);
  const [expired] = await claimEffects(sql, {
    now: clock(),
    claimedUntil: new Date(clock().getTime() + 1_000),
    limit: 10,
  });
  assert.ok(expired);
  assert.equal(
    (await claimEffects(sql, { now: clock(), claimedUntil: clock(), limit: 10 })).length,
    0,
    "not before the claim expires",
  );
  advance(1_000);
  const [current] = await claimEffects(sql, {
    now: clock(),
    claimedUntil: new Date(clock().getTime() + 1_000),
    limit: 10,
  });
  assert.equal(current?.effectId, expired.effectId);
  assert.ok(current);

  assert.equal(await settleEffect(sql, expired, { state: "POISONED", lastError: "late" }), false);
  assert.equal(
    await settleEffect(sql, current, { state: "DONE", finishedAt: clock(), lastError: null }),
    true,
  );
  const [row] = await world.admin`select state, last_error from effects`;
  assert.deepEqual({ ...row }, { state: "DONE", lastError: null });
});

Deno.test("a worker renews the claim of a long effect, which is performed once", async () => {
  await using world = await createWorld();
  await tell(world, await createGroup(world), "group.delete");
  const release = Promise.withResolvers<void>();
  let performed = 0;
  const performLong = async () => {
    performed++;
    await release.promise;
    return "done" as const;
  };
  const options = { ...loopOptions(world), claimMs: 90, performers: { "memberships.end": performLong } };
  await using _one = startEffectLoop(options);
  await using _two = startEffectLoop(options);
  const claimedUntil = async () =>
    (await world.admin`select due_at, attempts from effects`)[0]?.dueAt as Date;
  await eventually(() => assert.equal(performed, 1));
  for (let claims = 0; claims < 5; claims++) {
    options.advance(89);
    await eventually(async () =>
      assert.deepEqual(await claimedUntil(), new Date(options.clock().getTime() + 90))
    );
  }
  release.resolve();
  await eventually(async () => {
    const [row] = await world.admin`select state, attempts from effects`;
    assert.deepEqual({ ...row }, { state: "DONE", attempts: 1 });
  });
  assert.equal(performed, 1);
});

Deno.test("an effect whose claim another worker has taken is aborted, and its outcome is ignored", async () => {
  await using world = await createWorld();
  await tell(world, await createGroup(world), "group.delete");
  const options = loopOptions(world);
  const ended = Promise.withResolvers<void>();
  const performLong = (_effect: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise<"done">((resolve) => {
      signal.addEventListener("abort", () => resolve("done"), { once: true });
      signal.addEventListener("abort", () => ended.resolve(), { once: true });
    });
  await using loop = startEffectLoop({
    ...options,
    claimMs: 90,
    performers: { "memberships.end": performLong },
  });
  await eventually(async () =>
    assert.equal((await world.admin`select 1 from effects where attempts = 1`).length, 1)
  );
  const otherClaim = new Date(options.clock().getTime() + 3_600_000);
  await world.admin`update effects set due_at = ${otherClaim}, attempts = 2`;
  await ended.promise;
  await loop[Symbol.asyncDispose]();
  const [row] = await world.admin`select state, attempts, due_at from effects`;
  assert.deepEqual({ ...row }, { state: "PENDING", attempts: 2, dueAt: otherClaim });
});

Deno.test("a slow effect does not delay other effects", async () => {
  await using world = await createWorld();
  const slow = await createGroup(world);
  await tell(world, slow, "group.delete");
  const options = loopOptions(world);
  const release = Promise.withResolvers<void>();
  const waitsForRelease = async ({ actorId }: { actorId: string }) => {
    if (actorId === slow.id) await release.promise;
    return "done" as const;
  };
  await using loop = startEffectLoop({ ...options, performers: { "memberships.end": waitsForRelease } });
  await eventually(async () =>
    assert.equal((await world.admin`select 1 from effects where attempts = 1`).length, 1)
  );
  const quick = await createGroup(world);
  await tell(world, quick, "group.delete");
  options.advance(1_000);
  loop.wake();
  await eventually(async () => {
    const done = await world.admin`select actor_id from effects where state = 'DONE'`;
    assert.deepEqual(done.map((row) => row.actorId), [quick.id]);
  });
  release.resolve();
});

Deno.test("the delay before a retry doubles up to half an hour, with random jitter", () => {
  assert.deepEqual([1, 2, 3, 20].map((attempt) => retryDelay(attempt, () => 1)), [
    1_000,
    2_000,
    4_000,
    1_800_000,
  ]);
  assert.equal(retryDelay(3, () => 0), 2_000);
});
