import assert from "node:assert/strict";
import { createOutageLog } from "../../lib/outage_log.ts";
import { openPool } from "../../db/connect.ts";
import { claimTimers } from "../../db/timers.ts";
import { claimAt, createNotifier, createStorePlaces, listen, startWorkLoop } from "../../db/work.ts";
import { createDatabase } from "../database.ts";
import { eventually } from "../eventually.ts";
import { startTcpProxy } from "../tcp_proxy.ts";

Deno.test("a listener that loses its connection reconnects, wakes at once, and receives the next notification", async () => {
  await using database = await createDatabase();
  let heard = 0;
  await using _listening = await listen(database.pool("customer_worker"), () => void heard++);
  assert.equal(heard, 1, "once it listens");
  for (let round = 0; round < 3; round++) {
    const before = heard;
    const ended = await database.admin`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'listen %'`;
    assert.equal(ended.length, 1);
    await eventually(() => assert.equal(heard, before + 1));
    createNotifier(database.pool("customer_api"))(crypto.randomUUID());
    await eventually(() => assert.equal(heard, before + 2));
  }
});

Deno.test("a listener that starts while the database is away listens when the database is back", async () => {
  await using database = await createDatabase();
  const port = Number(new URL(database.url).port);
  const reserved = startTcpProxy(0, port);
  reserved.close();
  const url = Object.assign(new URL(database.url), { port: String(reserved.port) }).href;
  const sql = openPool(url, "customer_worker", 1);
  let heard = 0;
  {
    await using _listening = await listen(sql, () => void heard++);
    assert.equal(heard, 0);
    const proxy = startTcpProxy(reserved.port, port);
    using _proxy = { [Symbol.dispose]: () => proxy.close() };
    await eventually(() => assert.equal(heard, 1, "once it listens"));
    createNotifier(database.pool("customer_api"))("store");
    await eventually(() => assert.equal(heard, 2));
  }
  await sql.end({ timeout: 1 });
});

Deno.test("many concurrent commits share one notification, which names their stores", async () => {
  await using database = await createDatabase();
  const heard: (readonly string[] | undefined)[] = [];
  await using _listening = await listen(
    database.pool("customer_worker"),
    (storeIds) => void heard.push(storeIds),
  );
  const notify = createNotifier(database.pool("customer_api"));
  for (let commit = 0; commit < 100; commit++) notify(`store-${commit % 2}`);
  await eventually(() => assert.deepEqual(heard, [[], ["store-0", "store-1"]]));
  notify("store-2");
  await eventually(() => assert.deepEqual(heard[2], ["store-2"]));
});

Deno.test("a loop that looks store by store finds due work of every store, and that of stores that are named", async () => {
  await using database = await createDatabase();
  const [early, late] = [crypto.randomUUID(), crypto.randomUUID()];
  const insert = (storeId: string, due: string) =>
    database.admin`
      insert into timers (store_id, actor_kind, actor_id, name, event, due_at, created_at)
      values (${storeId}, 'customer', gen_random_uuid(), 'test', '{}', now() + ${due}::interval, now())`;
  await insert(early, "-1 second");
  await insert(late, "1 hour");
  const worker = database.pool("customer_worker");
  const places = createStorePlaces(worker, "timers");
  const now = new Date(Date.now() + 2 * 60 * 60_000);
  const claim = (storeId: string | undefined, limit: number) =>
    claimTimers(worker, { now, claimedUntil: new Date(now.getTime() + 1_000), limit, storeId });
  assert.deepEqual((await claimAt(places, 10, claim)).map(({ storeId }) => storeId), [early]);
  places.add([late]);
  assert.deepEqual((await claimAt(places, 10, claim)).map(({ storeId }) => storeId), [late]);
});

Deno.test("a store whose claim fails does not keep other stores from theirs", async () => {
  const places = { next: () => Promise.resolve(["away", "near"]), add: () => {} };
  const claim = (storeId: string | undefined) =>
    storeId === "away" ? Promise.reject(new Error("away")) : Promise.resolve([storeId]);
  assert.deepEqual(await claimAt(places, 10, claim), ["near"]);
  await assert.rejects(claimAt({ ...places, next: () => Promise.resolve(["away"]) }, 10, claim), /away/);
});

Deno.test("a loop whose work fails repeatedly continues, and logs the failure and the recovery once each", async () => {
  const told: string[] = [];
  const outage = createOutageLog((error) => told.push(String(error)), () => told.push("over"));
  let steps = 0;
  const step = () => {
    steps++;
    return steps < 6 ? Promise.reject(new Error(`step ${steps}`)) : Promise.resolve(false);
  };
  {
    await using _loop = startWorkLoop(step, { pollMs: 1, onError: outage.report, onSuccess: outage.end });
    await eventually(() => assert.ok(steps > 8));
  }
  assert.deepEqual(told, ["Error: step 1", "over"]);
});
