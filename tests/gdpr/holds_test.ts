/** Legal holds on customers: no erasure starts while one is in effect, and it continues by itself after the last. */
import assert from "node:assert/strict";
import { reviewErasure } from "../../actors/gdpr/effects/review.ts";
import type { ActorRef } from "../../actors/commands.ts";
import type { Answer, CommandContext } from "../../actors/runtime/protocol.ts";
import { register, shopper, tell } from "../actors/world.ts";
import { assertInvariants } from "./invariants.ts";
import { createManualClockWorld, DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";
import {
  AWAITING,
  errorCode,
  openErasure,
  openRequest,
  type Operation,
  race,
  readPhase,
  REFUSED,
  START,
} from "./race.ts";
import { createRequestFixture } from "./request_fixture.ts";

const HELD = "PENDING.held";
const ROUNDS = 5;

const place = (
  world: ManualClockWorld,
  customer: ActorRef,
  fields: Record<string, unknown> = {},
  context: Partial<CommandContext> = { by: world.officer },
): Promise<Answer> => tell(world, customer, "hold.place", { ground: "LEGAL_CLAIM", ...fields }, context);

const lift = (world: ManualClockWorld, customer: ActorRef, { ids: { holdId } }: Answer): Promise<Answer> =>
  tell(world, customer, "hold.lift", { holdId }, { by: world.officer });

async function countHolds({ admin }: ManualClockWorld, { id }: ActorRef): Promise<number> {
  const [row] = await admin`select holds from customers where customer_id = ${id}`;
  return row?.holds;
}

Deno.test("a hold concurrent with the start of an erasure stops it, or is refused, in every order", async (t) => {
  await using world = await createManualClockWorld({ graceMs: DAY });
  for (const holdFirst of [true, false]) {
    await t.step(holdFirst ? "the hold is first" : "the start is first", async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const { customer, request } = await openErasure(world);
        const operations: [Operation, Operation] = [
          () => place(world, customer),
          () => fireTimer(world, request, START),
        ];
        const [placed] = await race(world, customer, operations, holdFirst);
        assert.equal(errorCode(placed), holdFirst ? undefined : REFUSED);
        assert.equal(await readPhase(world, request), holdFirst ? HELD : AWAITING);
        assert.equal(await countHolds(world, customer), holdFirst ? 1 : 0);
        await assertInvariants(world.admin, request);
      }
    });
  }
  await t.step("in the order of PostgreSQL", async () => {
    for (let round = 0; round < 4 * ROUNDS; round++) {
      const { customer, request } = await openErasure(world);
      const [placed] = await Promise.allSettled([
        place(world, customer),
        fireTimer(world, request, START),
      ]);
      const isPlaced = placed.status === "fulfilled";
      if (!isPlaced) assert.equal(errorCode(placed), REFUSED);
      assert.equal(await readPhase(world, request), isPlaced ? HELD : AWAITING);
      await assertInvariants(world.admin, request);
    }
  });
});

Deno.test("the end of the last hold concurrent with the start of an erasure lets it continue", async (t) => {
  await using world = await createManualClockWorld({ graceMs: DAY, participants: [] });
  const fixture = createRequestFixture(world);
  for (const liftFirst of [true, false]) {
    await t.step(liftFirst ? "the end of the hold is first" : "the start is first", async () => {
      const { customer, request } = await openErasure(world);
      const hold = await place(world, customer);
      const operations: [Operation, Operation] = [
        () => lift(world, customer, hold),
        () => fireTimer(world, request, START),
      ];
      await race(world, customer, operations, liftFirst);
      await fixture.work(world.now);
      assert.equal(await readPhase(world, request), "COMPLETED");
      await assertInvariants(world.admin, request);
    });
  }
});

Deno.test("an erasure of a held customer enters held by itself, and continues after the last of several holds", async (t) => {
  await using world = await createManualClockWorld({ graceMs: DAY, participants: [] });
  const fixture = createRequestFixture(world);
  const work = () => fixture.work(world.now);

  await t.step("a hold before the request", async () => {
    const customer = await register(world, { firstName: "Ada" });
    const [first, second] = [await place(world, customer), await place(world, customer)];
    const timed = await place(world, customer, {
      until: new Date(world.now.getTime() + 9 * DAY).toISOString(),
    });
    const request = await openRequest(world, customer, "ERASURE");
    await work();
    assert.equal(await readPhase(world, request), HELD);
    await assert.rejects(tell(world, request, "release"), {
      code: REFUSED,
      message: /legal holds on the customer keep it/,
    });
    await lift(world, customer, first);
    await lift(world, customer, second);
    await assert.rejects(lift(world, customer, second), { code: "NOT_FOUND" });
    world.now = new Date(world.now.getTime() + 5 * DAY);
    await work();
    assert.equal(await readPhase(world, request), HELD, "one hold is in effect");
    world.now = new Date(world.now.getTime() + 5 * DAY);
    await work();
    assert.equal(await readPhase(world, request), "COMPLETED");
    await assert.rejects(place(world, customer), { code: REFUSED, message: /it has been erased/ });
    const [hold] = await world.admin`
      select ended_at, lifted_by from customer_holds where hold_id = ${timed.ids.holdId!}`;
    assert.ok(hold?.endedAt);
    assert.equal(hold.liftedBy, null);
  });

  await t.step("a hold during the grace period, an access request and a hold on the request", async () => {
    const customer = await register(world, { firstName: "Ada" });
    const request = await openRequest(world, customer, "ERASURE");
    const hold = await place(world, customer);
    await work();
    assert.equal(await readPhase(world, request), HELD);
    await lift(world, customer, hold);
    await work();
    assert.equal(await readPhase(world, request), "PENDING.grace");

    const access = await openRequest(world, customer, "ACCESS");
    await fireTimer(world, request, START);
    assert.equal(await readPhase(world, request), "PENDING.waiting_for_access");
    const second = await place(world, customer);
    const performers = {
      "erasure.review": reviewErasure,
      "source.collect": () => Promise.resolve("done" as const),
    };
    await createRequestFixture(world, performers).work(world.now);
    assert.equal(await readPhase(world, request), HELD);
    await tell(world, access, "cancel");

    await lift(world, customer, second);
    await work();
    assert.equal(await readPhase(world, request), "COMPLETED");
    await assertInvariants(world.admin, request);
  });

  await t.step("a hold that is lifted while staff hold the request", async () => {
    const customer = await register(world, { firstName: "Ada" });
    const request = await openRequest(world, customer, "ERASURE");
    await tell(world, request, "hold", { ground: "LEGAL_CLAIM", reason: "a court order" });
    await assert.rejects(
      tell(world, request, "hold", { ground: "LEGAL_CLAIM", reason: "another one" }),
      /it is on hold/,
    );
    const hold = await place(world, customer);
    await work();
    await tell(world, request, "release");
    assert.equal(await readPhase(world, request), HELD, "the hold on the customer remains");
    await lift(world, customer, hold);
    await work();
    assert.equal(await readPhase(world, request), "PENDING.grace");
    await tell(world, request, "hold", { ground: "LEGAL_CLAIM", reason: "a court order" });
    await lift(world, customer, await place(world, customer));
    await work();
    assert.equal(await readPhase(world, request), HELD, "the hold of staff remains");
  });
});

Deno.test("holds are for privacy officers and services, within their store, with an end in the future", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY });
  const customer = await register(world, { firstName: "Ada" });
  for (const by of [world.staff, shopper(customer), { ...world.officer, storeId: crypto.randomUUID() }]) {
    await assert.rejects(place(world, customer, {}, { by }), { code: "FORBIDDEN" });
  }
  const past = new Date(world.now.getTime() - 1).toISOString();
  for (
    const fields of [{ until: past }, { until: "2100-01-01T00:00:00Z" }, { until: "tomorrow" }, {
      ground: "NONE",
    }]
  ) {
    await assert.rejects(place(world, customer, fields), { code: "INVALID_INPUT" }, JSON.stringify(fields));
  }
  await assert.rejects(place(world, customer, { note: "Ada sues" }), {
    code: "INVALID_INPUT",
    message: /note/,
  });

  const bySystem = await place(world, customer, {}, { by: world.system });
  const other = { ...world.system, service: "other-service" };
  const lifting = { holdId: bySystem.ids.holdId };
  await assert.rejects(tell(world, customer, "hold.lift", lifting, { by: other }), { code: "FORBIDDEN" });
  const byOfficer = await place(world, customer, { note: "case 12" });
  const ofOfficer = { holdId: byOfficer.ids.holdId };
  await assert.rejects(tell(world, customer, "hold.lift", ofOfficer, { by: world.system }), {
    code: "FORBIDDEN",
  });
  const stranger = await register(world);
  await assert.rejects(lift(world, stranger, byOfficer), { code: "NOT_FOUND" });
  assert.equal(await countHolds(world, customer), 2);
  await lift(world, customer, bySystem);
  await tell(world, customer, "hold.lift", ofOfficer, { by: world.officer });
  assert.equal(await countHolds(world, customer), 0);
  const journal = await world.admin`
    select event_type, note from actor_events where actor_id = ${customer.id} and event_type like 'hold.%'
    order by sequence`;
  assert.deepEqual(journal.map(({ eventType, note }) => [eventType, note]), [
    ["hold.place", null],
    ["hold.place", "case 12"],
    ["hold.lift", null],
    ["hold.lift", null],
  ]);
});
