import assert from "node:assert/strict";
import { createActors } from "../../actors/mod.ts";
import { asDomainError } from "../../db/errors.ts";
import type { Principal } from "../../domain/principal.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { createLookups } from "../../db/lookups.ts";
import { requestSettings } from "./settings.ts";
import { ADDRESS, createGroup, createWorld, customerRef, register, shopper, tell } from "./world.ts";

Deno.test("each command runs in one transaction", async (t) => {
  await using world = await createWorld();
  const { admin, storeId } = world;
  const lookups = createLookups(world.database.pool("customer_reader"));
  const find = (customerId: string) => lookups.findCustomer({ storeId, customerId });

  await t.step("a hundred concurrent updates of one customer are all applied", async () => {
    const ref = await register(world);
    const answers = await Promise.all(
      Array.from(
        { length: 100 },
        (_, index) => tell(world, ref, "profile.update", { firstName: `Name ${index}` }),
      ),
    );
    const versions = answers.map((answer) => answer.version).sort((a, b) => a - b);
    assert.deepEqual(
      versions,
      Array.from({ length: 100 }, (_, index) => index + 2),
      "every update has its own version",
    );
    const journal =
      await admin`select sequence from actor_events where actor_id = ${ref.id} order by sequence`;
    assert.deepEqual(
      journal.map((row) => row.sequence),
      Array.from({ length: 101 }, (_, index) => index + 1),
    );
  });

  await t.step(
    "of two updates that expect the same version one succeeds and the other gets CONFLICT",
    async () => {
      const ref = await register(world);
      const results = await Promise.allSettled([
        tell(world, ref, "profile.update", { firstName: "First" }, { expectedVersion: 1 }),
        tell(world, ref, "profile.update", { firstName: "Second" }, { expectedVersion: 1 }),
      ]);
      const refused = results.filter((result) => result.status === "rejected");
      assert.equal(refused.length, 1);
      assert.equal(refused[0]?.reason.code, "CONFLICT");
      const winner = results[0]?.status === "fulfilled" ? "First" : "Second";
      const customer = await find(ref.id);
      assert.deepEqual([customer?.firstName, customer?.version], [winner, 2]);
    },
  );

  await t.step("concurrent additions stop at the limit of addresses", async () => {
    const ref = await register(world);
    const results = await Promise.allSettled(
      Array.from({ length: 60 }, () => tell(world, ref, "address.add", ADDRESS)),
    );
    assert.equal(results.filter((result) => result.status === "fulfilled").length, 50);
    assert.equal((await find(ref.id))?.addresses.length, 50);
  });

  await t.step("concurrent default addresses leave exactly one default", async () => {
    const ref = await register(world);
    const address = { ...ADDRESS, isDefaultShipping: true, isDefaultBilling: true };
    await Promise.all(Array.from({ length: 10 }, () => tell(world, ref, "address.add", address)));
    const addresses = (await find(ref.id))?.addresses ?? [];
    assert.equal(addresses.filter((address) => address.isDefaultShipping).length, 1);
    assert.equal(addresses.filter((address) => address.isDefaultBilling).length, 1);
  });

  await t.step(
    "an update without changes returns the current state and writes nothing",
    async () => {
      const ref = await register(world, { firstName: "Ada" });
      const answer = await tell(world, ref, "profile.update", { firstName: "Ada" });
      assert.equal(answer.version, 1);
      const [row] = await admin`select count(*)::int as count from actor_events where actor_id = ${ref.id}`;
      assert.equal(row?.count, 1);
    },
  );

  await t.step(
    "of two registrations with the same email in different case one succeeds and the other gets ALREADY_EXISTS",
    async () => {
      const results = await Promise.allSettled([
        register(world, { email: "same@example.com" }),
        register(world, { email: "Same@Example.com" }),
      ]);
      const refused = results.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
      assert.deepEqual(refused.map((error) => error.code), ["ALREADY_EXISTS"]);
      assert.ok(!/same@/i.test(String(refused[0]?.message)), "the message does not contain the email");
    },
  );

  await t.step("a customer cannot be registered twice under one ID", async () => {
    const ref = await register(world);
    await assert.rejects(tell(world, ref, "register", { email: "another@example.com" }), {
      code: "ALREADY_EXISTS",
    });
  });

  await t.step("another store may have the same email and the same customer ID", async () => {
    const ref = await register(world, { email: "both@example.com" });
    const other = { ...world, storeId: crypto.randomUUID() };
    other.system = { ...world.system, storeId: other.storeId };
    const twin = customerRef(other, ref.id);
    await tell(other, twin, "register", { email: "both@example.com" });
    await tell(other, twin, "profile.update", { firstName: "Twin" });
    assert.equal((await find(ref.id))?.firstName, null);
  });

  await t.step(
    "commands to another store, to another customer and without the role are FORBIDDEN",
    async () => {
      const [ref, otherCustomer] = [await register(world), await register(world)];
      const group = await createGroup(world);
      const attempts: [ActorRef, Principal][] = [
        [ref, { ...world.system, storeId: crypto.randomUUID() }],
        [ref, shopper(otherCustomer)],
        [ref, { ...world.staff, roles: ["CUSTOMER_SUPPORT"] }],
        [group, shopper(ref)],
      ];
      for (const [target, by] of attempts) {
        const type = target.kind === "customer" ? "profile.update" : "group.update";
        await assert.rejects(tell(world, target, type, {}, { by }), { code: "FORBIDDEN" });
      }
      assert.equal((await find(ref.id))?.firstName, null);
    },
  );

  await t.step(
    "every command but the registration gets NOT_FOUND for a missing customer",
    async () => {
      await assert.rejects(tell(world, customerRef(world), "profile.update", { firstName: "X" }), {
        code: "NOT_FOUND",
      });
      await assert.rejects(tell(world, customerRef(world), "erase", { requestId: crypto.randomUUID() }), {
        code: "NOT_FOUND",
      });
    },
  );
});

Deno.test("a lost database connection makes a command UNAVAILABLE and leaves no partial changes", async () => {
  await using world = await createWorld();
  const ref = await register(world);
  const sending = Promise.allSettled(
    Array.from(
      { length: 20 },
      (_, index) => tell(world, ref, "profile.update", { firstName: `Name ${index}` }),
    ),
  );
  await world.admin`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name like '%customer_api'`;
  const results = await sending;
  for (const result of results) {
    if (result.status === "rejected") assert.equal(asDomainError(result.reason)?.code, "UNAVAILABLE");
  }
  const [row] = await world.admin`
    select version, (select count(*)::int from actor_events where actor_id = customer_id) as journal
    from customers where customer_id = ${ref.id}`;
  assert.equal(row?.journal, row?.version, "the journal has an entry for every version");
  assert.ok((row?.version ?? 0) - 1 >= results.filter((result) => result.status === "fulfilled").length);
  await tell(world, ref, "profile.update", { firstName: "Again" }); // the pool reconnects
});

Deno.test("a database that does not respond is UNAVAILABLE after the limit, and queued commands never run", async () => {
  await using world = await createWorld();
  const ref = await register(world);
  const actors = createActors(world.database.pool("customer_api", 2), {
    requests: await requestSettings(),
    answerLimitMs: 300,
  });
  const limited = { ...world, actors };
  const update = (firstName: string) => tell(limited, ref, "profile.update", { firstName });
  const attempts: Promise<unknown>[] = [];
  await world.admin.begin(async (tx) => {
    await tx`select 1 from customers where customer_id = ${ref.id} for update`;
    attempts.push(...Array.from({ length: 6 }, (_, index) => update(`Name ${index}`)));
    for (const attempt of attempts) {
      await assert.rejects(attempt, (error) => asDomainError(error)?.code === "UNAVAILABLE");
    }
  });
  await update("Last"); // waits until the two connections are available
  const { version } = await update("Again");
  assert.ok(version >= 3 && version <= 5, `two of six had started, the version is ${version}`);
});
