/** A replica whose clock is wrong by 40 days: PostgreSQL's clock decides all the same. */
import assert from "node:assert/strict";
import { createExportDownloads, exportLink } from "../../actors/gdpr/exports/downloads.ts";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import { dueDate } from "../../actors/gdpr/requests/clock.ts";
import type { ParticipantClient } from "../../actors/gdpr/types.ts";
import { startHousekeeping } from "../../actors/housekeeping.ts";
import { startWorker } from "../../actors/runtime/worker.ts";
import { startClockCheck } from "../../db/clock_check.ts";
import { createHealth } from "../../rest/health.ts";
import { requestSettings } from "../actors/settings.ts";
import { createWorld, register, shopper, tell } from "../actors/world.ts";
import { captureLog } from "../captured_log.ts";
import { eventually } from "../eventually.ts";
import { createKeys } from "./keys.ts";
import { createRequestFixture } from "./request_fixture.ts";

const DAY = 24 * 60 * 60_000;
const noRecords: ParticipantClient = {
  async *collect() {
    yield* [];
  },
};

/** Shifts the clock of this process until disposal. */
function shiftClock(ms: number): Disposable {
  const Real = Date;
  globalThis.Date = new Proxy(Real, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length > 0 ? args : [target.now() + ms], newTarget),
    get: (target, name) => name === "now" ? () => target.now() + ms : Reflect.get(target, name),
  });
  return { [Symbol.dispose]: () => void (globalThis.Date = Real) };
}

for (const days of [40, -40]) {
  const skew = `${Math.abs(days)} days ${days > 0 ? "fast" : "slow"}`;
  Deno.test(`a replica that is ${skew} skips no grace, keeps documents and dates receipts in order`, async () => {
    const keys = await createKeys();
    const requests = await requestSettings({ participants: [], graceMs: 14 * DAY });
    await using world = await createWorld({ requests });
    const api = world.database.pool("customer_api");
    const performers = createRequestPerformers(api, noRecords, keys);
    const right = createRequestFixture(world, performers);
    const [leaving, reader, restored] = await Promise.all([
      register(world),
      register(world),
      register(world),
    ]);
    const early = await right.open(leaving, "ERASURE", {}, { by: shopper(leaving) });
    const early2 = await right.open(reader, "ACCESS", {}, { by: shopper(reader) });
    await right.work();
    assert.equal((await right.row(early2)).outcome, "FULFILLED", "before the wrong replica starts");

    using _clock = shiftClock(days * DAY);
    assert.ok(Math.abs(Date.now() - new Date(performance.timeOrigin).getTime()) > 39 * DAY);
    const late = await right.open(restored, "ERASURE", { cause: "RESTORE" });
    const access = await right.open(restored, "PORTABILITY", {}, { by: shopper(restored) }).catch(() =>
      undefined
    );
    const sql = world.database.pool("customer_worker");
    {
      await using _worker = startWorker({ sql, api, actors: world.actors, performers, pollMs: 20 });
      await using _housekeeping = startHousekeeping({ sql, outboxRetentionMs: 7 * DAY });
      await eventually(async () => assert.equal((await right.row(late)).status, "COMPLETED"), 60_000);
      if (access) await eventually(async () => assert.equal((await right.row(access)).status, "COMPLETED"));
    }

    assert.deepEqual((await right.row(early)).snapshot.value, { PENDING: "grace" });
    const key = { storeId: world.storeId, requestId: early2.id };
    const link = await exportLink(api, keys, key);
    assert.ok(link, "the documents can still be downloaded");
    const token = link.url.split("/").at(-1) ?? "";
    const downloads = createExportDownloads(api, keys, world.actors);
    await (await downloads.fetch(token, "access.json", shopper(reader))).gzip.cancel();

    const [{ receivedAt, dueAt, ...row } = {}] = await world.admin`
      select r.received_at, r.due_at, abs(extract(epoch from r.created_at - now())) < 600 as created,
        r.received_at = r.created_at as received, r.completed_at between r.created_at and now() as completed
      from gdpr_requests r where request_id = ${late.id}`;
    assert.deepEqual(row, { created: true, received: true, completed: true });
    const calendar = { timeZone: "UTC", holidays: [] };
    assert.deepEqual(dueAt, dueDate(receivedAt, calendar, { months: 1 }));
    const [receipt] = await world.admin`select document from erasure_receipts where request_id = ${late.id}`;
    const { requestedAt, erasedAt, completedAt } = receipt?.document ?? {};
    assert.deepEqual([requestedAt, erasedAt, completedAt].toSorted(), [requestedAt, erasedAt, completedAt]);
    const [{ wrong }] = await world.admin<[{ wrong: number }]>`
      select count(*)::int as wrong from (
        select at from actor_events union all select created_at from outbox union all select created_at from effects
        union all select finished_at from effects union all select created_at from timers
        union all select settled_at from gdpr_participants union all select created_at from idempotency_keys
        union all select created_at from gdpr_notices
      ) times where abs(extract(epoch from at - now())) > 600`;
    assert.equal(wrong, 0, "every stored time is PostgreSQL's");
  });

  Deno.test(`a replica that is ${skew} is ready and says that its clock is wrong`, async () => {
    await using world = await createWorld();
    await using log = await captureLog();
    const sql = world.database.pool("customer_reader");
    const health = async (check: { warning(): string | undefined }) => {
      const response = await createHealth(() => Promise.resolve(true), { warning: check.warning }).request(
        "/readyz",
      );
      return [response.status, await response.text()];
    };
    {
      await using check = startClockCheck(sql);
      await eventually(async () => assert.deepEqual(await health(check), [200, "ready\n"]));
    }
    assert.deepEqual(log.lines, []);
    using _clock = shiftClock(days * DAY);
    await using check = startClockCheck(sql);
    await eventually(async () => {
      const [status, text] = await health(check);
      assert.equal(status, 200);
      assert.match(
        String(text),
        /^ready\nThis replica's clock is 345\d\d\d\d s (ahead of|slower than) PostgreSQL's\n$/,
      );
      assert.ok(String(text).includes(days > 0 ? "ahead of" : "slower than"));
    });
    assert.match(log.lines.join("\n"), /This replica's clock is 345\d+ s/);
  });
}

Deno.test("the journal is dated after its actor was locked, in the order of its versions", async () => {
  await using world = await createWorld();
  const ref = await register(world);
  await Promise.all(
    Array.from({ length: 12 }, (_, at) => tell(world, ref, "profile.update", { firstName: `N${at}` })),
  );
  const rows = await world.admin`
    select at = max(at) over (order by sequence) as ordered from actor_events where actor_id = ${ref.id}`;
  assert.equal(rows.length, 13);
  assert.ok(rows.every(({ ordered }) => ordered));
});
