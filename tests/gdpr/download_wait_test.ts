/** Erasures wait for the customer's download, and requests whose documents were not fetched are not fulfilled. */
import assert from "node:assert/strict";
import type { ActorRef } from "../../actors/commands.ts";
import { register, shopper, tell } from "../actors/world.ts";
import { assertInvariants } from "./invariants.ts";
import { createManualClockWorld, DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";
import { AWAITING, errorCode, openRequest, race, readPhase, START, WAITING } from "./race.ts";
import { createUnfetchedExport, timerName } from "./request_events.ts";

const DOWNLOAD = "PENDING.waiting_for_download";
const WAIT_END = timerName("fetch-end", "gdpr_erasure@1");
const EXPIRY = timerName("expire", "gdpr_access@1");

async function outcomeOf({ admin }: ManualClockWorld, { id }: ActorRef): Promise<string> {
  const [row] = await admin`select outcome from gdpr_requests where request_id = ${id}`;
  return row?.outcome;
}

async function waitEndOf({ admin }: ManualClockWorld, { id }: ActorRef): Promise<Date | null> {
  const [row] = await admin`select fetch_wait_ends_at from gdpr_requests where request_id = ${id}`;
  return row?.fetchWaitEndsAt;
}

/** Completes an access request, and opens an erasure that waits for the download of its documents. */
async function arrange(world: ManualClockWorld) {
  const customer = await register(world, { firstName: "Ada" });
  const access = await createUnfetchedExport(world, customer);
  const completedAt = world.now;
  const erasure = await openRequest(world, customer, "ERASURE");
  await fireTimer(world, erasure, START);
  assert.equal(await readPhase(world, erasure), DOWNLOAD);
  const fetch = (request = access) => tell(world, request, "export.fetched", {}, { by: shopper(customer) });
  return { customer, access, erasure, completedAt, fetch };
}

async function assertErases(world: ManualClockWorld, erasure: ActorRef): Promise<void> {
  assert.equal(await readPhase(world, erasure), "PENDING.grace");
  await assertInvariants(world.admin, erasure);
  assert.ok(await fireTimer(world, erasure, START));
  assert.equal(await readPhase(world, erasure), AWAITING);
  await assertInvariants(world.admin, erasure);
}

Deno.test("an erasure waits until the customer has fetched the documents, which are then FULFILLED for good", async () => {
  await using world = await createManualClockWorld({ graceMs: 0 });
  const { customer, access, erasure, completedAt, fetch } = await arrange(world);
  assert.deepEqual(await waitEndOf(world, erasure), new Date(completedAt.getTime() + 7 * DAY));
  const other = await register(world);
  await assert.rejects(tell(world, access, "export.fetched", {}, { by: shopper(other) }), {
    code: "FORBIDDEN",
  });
  await assert.rejects(tell(world, access, "export.fetched", {}, { by: world.officer }), {
    code: "FORBIDDEN",
  });
  assert.equal(await readPhase(world, erasure), DOWNLOAD);
  const portability = await createUnfetchedExport(world, customer);
  await fetch();
  assert.equal(await readPhase(world, erasure), DOWNLOAD, "another document is not fetched");
  await fetch(portability);
  await assertErases(world, erasure);
  for (const request of [access, portability]) {
    assert.equal(await outcomeOf(world, request), "FULFILLED");
    await assertInvariants(world.admin, request);
  }
});

Deno.test("an erasure after its wait destroys the documents, and the access request ends as NOT_FETCHED", async () => {
  await using world = await createManualClockWorld({ graceMs: 0, fetchWaitMs: 2 * DAY });
  const { access, erasure, completedAt } = await arrange(world);
  assert.deepEqual(await waitEndOf(world, erasure), new Date(completedAt.getTime() + 2 * DAY));
  assert.equal(await outcomeOf(world, access), "FULFILLED", "it can still be downloaded");
  assert.ok(await fireTimer(world, erasure, WAIT_END));
  await assertErases(world, erasure);
  assert.equal(await outcomeOf(world, access), "NOT_FETCHED");
  await assertInvariants(world.admin, access);
});

Deno.test("a download that ends after the documents were destroyed counts", async () => {
  await using world = await createManualClockWorld({ graceMs: 0, fetchWaitMs: 0 });
  const customer = await register(world);
  const access = await createUnfetchedExport(world, customer);
  const erasure = await openRequest(world, customer, "ERASURE");
  await fireTimer(world, erasure, START);
  assert.equal(await readPhase(world, erasure), AWAITING, "GDPR_FETCH_WAIT=0s does not wait");
  assert.equal(await outcomeOf(world, access), "NOT_FETCHED");
  await tell(world, access, "export.fetched", {}, { by: shopper(customer) });
  assert.equal(await outcomeOf(world, access), "FULFILLED");
  await assertInvariants(world.admin, access);
});

Deno.test("documents that expire unfetched make the request NOT_FETCHED, and an erasure no longer waits", async () => {
  await using world = await createManualClockWorld({ graceMs: 0 });
  const { access, erasure } = await arrange(world);
  assert.ok(await fireTimer(world, access, EXPIRY));
  assert.equal(await outcomeOf(world, access), "NOT_FETCHED");
  await assertInvariants(world.admin, access);
  await assertErases(world, erasure);
});

Deno.test("only the customer can end the wait before its time, and a hold keeps the erasure", async () => {
  await using world = await createManualClockWorld({ graceMs: 0 });
  const { customer, access, erasure } = await arrange(world);
  for (const by of [world.officer, world.system]) {
    await assert.rejects(tell(world, erasure, "proceed", {}, { by }), { code: "FORBIDDEN" });
  }
  await tell(world, erasure, "hold", { ground: "LEGAL_CLAIM", reason: "a court order" });
  await assertInvariants(world.admin, erasure);
  await tell(world, erasure, "release");
  await fireTimer(world, erasure, START);
  assert.equal(await readPhase(world, erasure), DOWNLOAD);
  await tell(world, erasure, "proceed", {}, { by: shopper(customer) });
  await assertErases(world, erasure);
  assert.equal(await outcomeOf(world, access), "NOT_FETCHED");
});

Deno.test("the wait ends a day before the erasure is due, and later after an extension", async () => {
  await using world = await createManualClockWorld({ graceMs: 0 });
  const customer = await register(world);
  const erasure = await openRequest(world, customer, "ERASURE");
  const access = await openRequest(world, customer, "ACCESS");
  await fireTimer(world, erasure, START);
  assert.equal(await readPhase(world, erasure), WAITING);
  const [{ dueAt } = {}] = await world
    .admin`select due_at from gdpr_requests where request_id = ${erasure.id}`;
  world.now = new Date(dueAt.getTime() - 3 * DAY);
  await tell(world, access, "cancel", {}, { by: shopper(customer) });
  await createUnfetchedExport(world, customer);
  await fireTimer(world, erasure, START);
  assert.equal(await readPhase(world, erasure), DOWNLOAD);
  assert.deepEqual(await waitEndOf(world, erasure), new Date(dueAt.getTime() - DAY));
  await tell(world, erasure, "extend", { reason: "many documents" });
  assert.deepEqual(await waitEndOf(world, erasure), new Date(dueAt.getTime() + 4 * DAY));
  const [timer] = await world.admin`
    select due_at from timers where actor_id = ${erasure.id} and name = ${WAIT_END}`;
  assert.deepEqual(timer?.dueAt, new Date(dueAt.getTime() + 4 * DAY));
  await assertInvariants(world.admin, erasure);
});

Deno.test("an erasure of restored data does not wait", async () => {
  await using world = await createManualClockWorld({ graceMs: 0 });
  const customer = await register(world);
  await createUnfetchedExport(world, customer);
  const erasure = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell(world, erasure, "open", { customerId: customer.id, right: "ERASURE", cause: "RESTORE" });
  await fireTimer(world, erasure, START);
  assert.equal(await readPhase(world, erasure), AWAITING);
  await assertInvariants(world.admin, erasure);
});

Deno.test("a download concurrent with the start of the erasure counts in both orders", async (t) => {
  for (const fetchFirst of [true, false]) {
    await t.step(fetchFirst ? "the download is first" : "the start is first", async () => {
      await using world = await createManualClockWorld({ graceMs: 0 });
      const { customer, access, erasure, fetch } = await arrange(world);
      await fireTimer(world, erasure, WAIT_END);
      const results = await race(
        world,
        customer,
        [fetch, () => fireTimer(world, erasure, START)],
        fetchFirst,
      );
      assert.deepEqual(results.map(errorCode), [undefined, undefined]);
      assert.equal(await readPhase(world, erasure), AWAITING);
      assert.equal(await outcomeOf(world, access), "FULFILLED");
      for (const request of [access, erasure]) await assertInvariants(world.admin, request);
    });
  }
});
