/** Crash safety of a person's holds, unverified requests and notices: their replicas are killed at every commit. */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { register, tell } from "../actors/world.ts";
import { contents, createCrashFixture, openFor, readPhase, run } from "./crashes.ts";
import { assertInvariants } from "./invariants.ts";

const DAY_MS = 24 * 60 * 60_000;

Deno.test("a hold that ends, the erasure after it and its notices, killed at each commit, happen once", async () => {
  await using fixture = await createCrashFixture();
  const { world } = fixture;
  const customer = await register(world, { firstName: "Ada" });
  const until = new Date(Date.now() + 60_000).toISOString();
  await tell(world, customer, "hold.place", { ground: "LEGAL_CLAIM", until });
  const letter = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  const fields = { customerId: customer.id, right: "ACCESS", channel: "LETTER" };
  await tell(world, letter, "open", fields, { by: world.officer });
  const erasure = await openFor(fixture, customer.id, "ERASURE");
  await run(fixture);
  assert.equal(await readPhase(fixture, erasure), "PENDING.held");
  assert.equal(await readPhase(fixture, letter), "PENDING.identifying");

  const notices = async () => {
    const rows = await world.admin`
      select kind, delivery, attempts, sealed_recipient is not null as sealed from gdpr_notices
      order by created_at, notice_id`;
    return rows.map((row) => ({ ...row }));
  };
  const everything = async () => [await contents(fixture), await notices()];
  /** Kills replicas before and after their commits, in turn, until `isDone`. Returns the number of kills. */
  const killUntil = async (isDone: () => Promise<boolean>) => {
    let [kills, n] = [0, 1];
    while (!await isDone()) {
      for (const at of ["commit", "committed"] as const) {
        const before = await everything();
        if (await run(fixture, { at, n }) === "ended") break;
        kills++;
        const same = isDeepStrictEqual(await everything(), before);
        if (n === 1 && at === "commit") assert.ok(same, "an uncommitted transaction has no effect");
        if (at === "committed") n = same ? n + 1 : 1;
        for (const request of [letter, erasure]) await assertInvariants(world.admin, request);
      }
      assert.ok(kills < 100, "the work makes progress");
    }
    return kills;
  };

  fixture.now = Math.max(fixture.now, Date.parse(until));
  const kills = await killUntil(async () => await readPhase(fixture, erasure) === "COMPLETED");
  assert.ok(kills >= 8, `${kills} kills`);
  await run(fixture);
  const [ended] = await world.admin`select outcome from gdpr_requests where request_id = ${letter.id}`;
  assert.equal(ended?.outcome, "NOT_IDENTIFIED");
  const [hold] = await world.admin`select ended_at, lifted_by from customer_holds`;
  assert.ok(hold?.endedAt && hold.liftedBy === null, "its time has passed");
  const journal = await world.admin`
    select event_type from actor_events
    where actor_id in (${erasure.id}, ${letter.id}, ${customer.id})
      and event_type in ('hold.expire', 'customer.changed', 'subject.erased', 'erase', 'verified')
    order by event_type`;
  assert.deepEqual(journal.map(({ eventType }) => eventType), [
    "customer.changed",
    "erase",
    "hold.expire",
    "subject.erased",
    "verified",
  ]);
  const open = await notices();
  assert.deepEqual(open.map(({ kind }) => kind).toSorted(), ["ERASED", "RECEIVED", "RECEIVED", "REFUSED"]);
  assert.ok(open.every(({ delivery, sealed }) => delivery === "DUE" && sealed));

  fixture.now += 200 * DAY_MS;
  await killUntil(async () => (await notices()).every(({ delivery }) => delivery === "EXPIRED"));
  assert.ok((await notices()).every(({ sealed }) => !sealed), "the recipients are destroyed");
});
