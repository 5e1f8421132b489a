/** Periods of records: completed requests, ended holds and journals of customers end, and what they prove stays. */
import assert from "node:assert/strict";
import { collectOwnData } from "../../actors/gdpr/effects/own_data.ts";
import { exportReceipt } from "../../actors/gdpr/receipts/receipt.ts";
import { startHousekeeping } from "../../actors/housekeeping.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { findEventsUpTo, findRun } from "../../db/actor_history.ts";
import { runAlone } from "../../db/housekeeping.ts";
import { countErasures } from "../../db/erased_subjects.ts";
import { countEndedRows, deleteEndedJournals, deleteEndedRequests } from "../../db/retention_periods.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { captureLog } from "../captured_log.ts";
import { eventually } from "../eventually.ts";
import { register, shopper, tell } from "../actors/world.ts";
import { createManualClockWorld, DAY, type ManualClockWorld } from "./manual_clock.ts";
import { createRequestFixture } from "./request_fixture.ts";
import { runTask } from "./task.ts";

const DEFAULT_DAYS = 1_096;
const ago = (days: number) => new Date(Date.now() - days * DAY);

const refuse = (world: ManualClockWorld, request: ActorRef) =>
  tell(world, request, "refuse", { ground: "NO_RIGHT", reason: "already answered" }, { by: world.officer });

async function settle(world: ManualClockWorld): Promise<void> {
  await createRequestFixture(world).work(world.now);
  const notices = await world.admin<{ noticeId: string }[]>`
    select notice_id from gdpr_notices where delivery in ('WAITING', 'DUE') order by created_at`;
  for (const { noticeId } of notices) {
    const notice = { kind: "gdpr_notice", storeId: world.storeId, id: noticeId } as const;
    await tell(world, notice, "waive", { waiver: "NOT_REQUIRED" }, { by: world.officer });
  }
}

async function rowsOf(world: ManualClockWorld, { id }: ActorRef): Promise<Record<string, number>> {
  const [row] = await world.admin<Record<string, number>[]>`
    select (select count(*)::int from gdpr_requests where request_id = ${id}) as requests,
      (select count(*)::int from gdpr_participants where request_id = ${id}) as participants,
      (select count(*)::int from gdpr_notices where request_id = ${id}) as notices,
      (select count(*)::int from actor_events where actor_id = ${id}) as events`;
  assert.ok(row);
  return { ...row };
}

const nothing = { requests: 0, participants: 0, notices: 0, events: 0 };

Deno.test("records end after the period of their store, except those that are held or still needed", async (t) => {
  await using world = await createManualClockWorld({ graceMs: 0, participants: [] }, ago(DEFAULT_DAYS + 1));
  const { admin, storeId } = world;
  const worker = world.database.pool("customer_worker");
  const api = world.database.pool("customer_api");
  const fixture = createRequestFixture(world);
  const open = (customer: ActorRef, right: string) =>
    fixture.open(customer, right, {}, { by: shopper(customer) });
  const events = async ({ id }: ActorRef) => {
    const rows = await admin`select event_type from actor_events where actor_id = ${id} order by sequence`;
    return rows.map(({ eventType }) => eventType);
  };

  const erased = await register(world);
  const erasure = await open(erased, "ERASURE");
  await settle(world);
  assert.equal((await fixture.row(erasure)).outcome, "FULFILLED");
  const customer = await register(world, { firstName: "Ada" });
  const refused = await open(customer, "ACCESS");
  await refuse(world, refused);
  await settle(world);
  const lifted = await tell(world, customer, "hold.place", { ground: "LEGAL_CLAIM", note: "a claim" });
  await tell(world, customer, "hold.lift", { holdId: lifted.ids.holdId });
  const held = await register(world);
  const heldRequest = await open(held, "ACCESS");
  await refuse(world, heldRequest);
  await settle(world);
  const hold = await tell(world, held, "hold.place", { ground: "LEGAL_CLAIM" });
  const unfinished = await open(await register(world), "ACCESS");
  await refuse(world, unfinished);
  await settle(world);
  await admin`
    insert into effects (store_id, effect_id, actor_kind, actor_id, type, params, state, due_at, trace_id, created_at)
    values (${storeId}, gen_random_uuid(), 'gdpr_request', ${unfinished.id}, 'x', '{}', 'POISONED', now(), 'x', now())`;
  const still = await open(await register(world), "ERASURE"); // open
  await tell(world, still, "hold", { ground: "LEGAL_CLAIM", reason: "a court order" }, { by: world.officer });
  world.now = ago(DEFAULT_DAYS - 1);
  const late = await open(customer, "PORTABILITY");
  await refuse(world, late);
  await tell(world, customer, "profile.update", { firstName: "Augusta" });
  await settle(world);
  const otherId = crypto.randomUUID();
  const otherStore = { ...world, storeId: otherId, system: { ...world.system, storeId: otherId } };
  const elsewhere = await register(otherStore);

  const ended = async () => (await countEndedRows(worker)).find((row) => row.storeId === storeId);

  await t.step("a dry run counts them by store and kind and deletes nothing", async () => {
    const dry = await runTask("retention", ["--dry-run"], { DATABASE_URL: world.database.url });
    const counts = await ended();
    assert.deepEqual([Number(counts?.requests), Number(counts?.holds)], [2, 1]);
    assert.ok(!dry.stderr.includes(otherId));
    for (const line of [`store ${storeId}: 2 completed requests`, `store ${storeId}: 1 ended legal holds`]) {
      assert.ok(dry.stderr.split("\n").includes(line), dry.stderr);
    }
    assert.equal((await rowsOf(world, erasure)).requests, 1);
  });

  await t.step(
    "housekeeping deletes them, and the failure of one step does not stop the others",
    async () => {
      await using log = await captureLog();
      await admin`revoke delete on idempotency_keys, outbox from customer_worker`;
      const counts = await ended();
      await using _housekeeping = startHousekeeping({ sql: worker, outboxRetentionMs: 7 * DAY });
      await eventually(() =>
        assert.match(
          log.lines.join("\n"),
          new RegExp(`deleted ${counts?.customerEvents} rows: events of journals`),
        )
      );
      assert.match(log.lines.join("\n"), /Cannot delete expired idempotency keys: PostgreSQL 42501/);
      assert.match(log.lines.join("\n"), /Cannot delete published events: PostgreSQL 42501/);
    },
  );

  assert.deepEqual(await rowsOf(world, erasure), nothing);
  assert.deepEqual(await rowsOf(world, refused), nothing);
  for (const request of [heldRequest, unfinished, still, late]) {
    const { requests, events } = await rowsOf(world, request);
    assert.ok(requests === 1 && events! > 0);
  }
  assert.deepEqual(await events(customer), ["profile.update"]);
  assert.deepEqual(await events(held), ["register", "hold.place"]);
  assert.deepEqual(await events(elsewhere), ["register"], "within its period");
  const holds = await admin`select hold_id from customer_holds`;
  assert.deepEqual(holds.map(({ holdId }) => holdId), [hold.ids.holdId]);

  await t.step("the receipt and the erasure memory stay", async () => {
    const receipt = await exportReceipt(createStoreReader(api), { storeId, requestId: erasure.id });
    assert.equal(receipt?.document.requestId, erasure.id);
    assert.equal(await countErasures(worker), 1);
  });

  await t.step("a customer without the whole journal can be changed, and gets no invented date", async () => {
    await tell(world, customer, "profile.update", { lastName: "King" });
    const journal = { storeId, actorKind: "customer", actorId: customer.id };
    const [newest] = await findEventsUpTo(admin, journal, { upTo: 100, limit: 1 });
    const run = await findRun(admin, journal, newest!, undefined);
    assert.equal(
      run.newest.sequence - run.oldest.sequence,
      1,
      "the run begins with the first event that is left",
    );
    const request = { storeId, customerId: customer.id, type: "ACCESS" };
    const options = { readContact: () => Promise.resolve(undefined) };
    const records = (await Array.fromAsync(collectOwnData(api, request, options))).map(({ record }) =>
      record
    );
    const find = (name: string) => records.find(({ data }) => name in data);
    assert.ok(find("first_name")?.recordedAt, "its event is still there");
    assert.equal(find("email")?.recordedAt, undefined);
  });

  await t.step("the settings of a store change its periods, and no other store's", async () => {
    const settings = { requestRetentionDays: 90, journalRetentionDays: 36_500 };
    await tell(world, { kind: "store_settings", storeId, id: storeId }, "settings.change", settings);
    assert.equal(await deleteEndedJournals(worker, 100), 0);
    assert.equal(await deleteEndedRequests(worker, 100), 1);
    assert.deepEqual(await rowsOf(world, late), nothing);
    await tell(
      otherStore,
      { kind: "store_settings", storeId: otherStore.storeId, id: otherStore.storeId },
      "settings.change",
      {
        journalRetentionDays: 90,
      },
      { by: { ...world.officer, storeId: otherStore.storeId } },
    );
    assert.equal(await deleteEndedJournals(worker, 100), 1);
    assert.deepEqual(await events(elsewhere), []);
  });

  await t.step("when the last hold ends, the records of the customer end too", async () => {
    await tell(world, held, "hold.lift", { holdId: hold.ids.holdId });
    assert.equal(await deleteEndedRequests(worker, 100), 1);
    assert.deepEqual(await rowsOf(world, heldRequest), nothing);
  });

  await t.step(
    "a batch deletes at most its number of rows, and one replica at a time runs a step",
    async () => {
      for (let index = 0; index < 5; index++) await refuse(world, await open(customer, "PORTABILITY"));
      await settle(world);
      const other = world.database.pool("customer_worker", 1);
      const counts = await runAlone(worker, 1, async (tx) =>
        [
          await deleteEndedRequests(tx, 2),
          await runAlone(other, 1, (inner) => deleteEndedRequests(inner, 2)),
          await runAlone(other, 2, (inner) => deleteEndedRequests(inner, 2)),
        ] as never);
      assert.deepEqual(counts, [2, 0, 2]);
      assert.equal(await deleteEndedRequests(worker, 2), 1);
    },
  );
});

Deno.test("a hold that is being placed keeps the records of its customer", async () => {
  await using world = await createManualClockWorld({ participants: [] }, ago(DEFAULT_DAYS + 1));
  const customer = await register(world);
  const request = await createRequestFixture(world).open(customer, "ACCESS", {}, { by: shopper(customer) });
  await refuse(world, request);
  await settle(world);
  const worker = world.database.pool("customer_worker");
  let deleting: Promise<number> | undefined;
  await world.admin.begin(async (tx) => {
    await tx`update customers set holds = 1 where customer_id = ${customer.id}`;
    deleting = deleteEndedRequests(worker, 100);
    await eventually(async () => {
      const [row] = await world.admin`select count(*)::int as waiting from pg_locks where not granted`;
      assert.ok(row?.waiting > 0);
    });
    assert.equal(await deleteEndedJournals(worker, 100), 0);
  });
  assert.equal(await deleting, 0);
  assert.equal((await rowsOf(world, request)).requests, 1);
});
