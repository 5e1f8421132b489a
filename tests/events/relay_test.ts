import assert from "node:assert/strict";
import { claimShard, deletePublished } from "../../db/outbox.ts";
import { consoleSink } from "../../events/console_sink.ts";
import { kafkaSink } from "../../events/kafka_sink.ts";
import { startRelay } from "../../events/relay.ts";
import { TOPICS } from "../../events/topics.ts";
import { createDatabase, type TestDatabase } from "../database.ts";
import { PROTOBUF, settings } from "./kafka.ts";
import { captureLog } from "./log.ts";
import { countUnpublished, event, eventsOf, insertEvents, interleave } from "./outbox.ts";
import { until } from "./waiting.ts";

const STORE = crypto.randomUUID();
const ALL = { topics: [...TOPICS.keys()], heldKeys: [] };

Deno.test("without a broker each event is logged and stays in the outbox", async () => {
  await using log = await captureLog();
  await using database = await createDatabase();
  const customer = crypto.randomUUID();
  const created = event("customer.created", STORE, customer);
  const updated = event("customer.updated", STORE, customer, { changedFields: ["email", "phone"] });
  await insertEvents(database.pool("customer_api"), [created, updated]);
  await using sink = consoleSink();
  await using _relay = startRelay(database.pool("customer_worker"), sink);
  await drained(database);
  assert.deepEqual(log.lines, [
    `info customer.created ${customer}`,
    `info customer.updated ${customer}: email, phone`,
  ]);
  const [{ count }] = await database.admin`select count(*)::int as count from outbox` as [{ count: number }];
  assert.equal(count, 2);
});

Deno.test("a relay that is woken does not wait for its poll", async () => {
  await using database = await createDatabase();
  await using sink = consoleSink();
  await using relay = startRelay(database.pool("customer_worker"), sink, { pollMs: 600_000 });
  for (let round = 0; round < 5; round++) {
    await insertEvents(database.pool("customer_api"), eventsOf(STORE, crypto.randomUUID(), 3));
    relay.wake();
    await drained(database);
  }
});

Deno.test("a shard that another relay has claimed blocks no other shard", async () => {
  await using database = await createDatabase();
  const worker = database.pool("customer_worker");
  const rows = Array.from({ length: 200 }, () => event("customer.created", STORE, crypto.randomUUID()));
  await insertEvents(database.pool("customer_api"), rows);
  await using sink = consoleSink();

  await worker.begin(async (tx) => {
    const claim = await claimShard(tx, ALL);
    const inShard = async () => {
      const counts = await database.admin<{ claimed: boolean; count: number }[]>`
        select shard = ${claim!.part.shard} as claimed, count(*)::int as count
        from outbox where published_at is null group by 1`;
      return { claimed: count(counts, true), others: count(counts, false) };
    };
    const before = await inShard();
    assert.ok(before.claimed > 0 && before.others > 0);
    assert.equal(claim!.waiting, 16);
    await using _relay = startRelay(worker, sink);
    await until("all other shards are published", async () => (await inShard()).others === 0);
    assert.equal((await inShard()).claimed, before.claimed);
  });

  await using _relay = startRelay(worker, sink);
  await drained(database);
});

Deno.test("a claim covers one shard, and all shards can be claimed at once", async () => {
  await using database = await createDatabase();
  const worker = database.pool("customer_worker", 17);
  const rows = Array.from({ length: 400 }, () => event("customer.created", STORE, crypto.randomUUID()));
  await insertEvents(database.pool("customer_api"), rows);
  const shards: (number | undefined)[] = [];
  const claimNext = async (): Promise<void> => {
    if (shards.length === 17) return;
    await worker.begin(async (tx) => {
      shards.push((await claimShard(tx, ALL))?.part.shard);
      await claimNext();
    });
  };
  await claimNext();
  assert.equal(shards.pop(), undefined);
  assert.deepEqual(shards.sort((a, b) => a! - b!), Array.from({ length: 16 }, (_, shard) => shard));
});

Deno.test("a relay reconnects after PostgreSQL has closed its connections", async () => {
  await using database = await createDatabase();
  const customers = Array.from({ length: 30 }, () => crypto.randomUUID());
  const rows = interleave(customers.map((customer) => eventsOf(STORE, customer, 50)));
  await insertEvents(database.pool("customer_api"), rows);
  await using sink = consoleSink();
  await using _relay = startRelay(database.pool("customer_worker"), sink, { batchSize: 5, concurrency: 1 });
  for (let round = 0; round < 3; round++) {
    const before = await countUnpublished(database.admin);
    await until("the relay works", async () => await countUnpublished(database.admin) < before - 20);
    const terminated = await database.admin`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'customer-service customer_worker'`;
    assert.ok(terminated.length > 0);
  }
  assert.ok(await countUnpublished(database.admin) > 0, "terminated during the backlog");
  await drained(database);
});

Deno.test("a relay starts while the broker is down, logs it once and stops at once", async () => {
  await using log = await captureLog();
  await using database = await createDatabase();
  await insertEvents(database.pool("customer_api"), eventsOf(STORE, crypto.randomUUID(), 3));
  {
    await using sink = kafkaSink(settings(`127.0.0.1:${closedPort()}`), PROTOBUF);
    await using _relay = startRelay(database.pool("customer_worker"), sink);
    await until("an attempt has failed", () => log.lines.length > 0);
  }
  assert.equal(log.lines.length, 1);
  assert.match(
    log.lines[0]!,
    /^error Events of customer\.created, customer\.updated wait in the outbox: KafkaJS.*ECONNREFUSED/,
  );
  assert.equal(await countUnpublished(database.admin), 3);
});

Deno.test("a relay stops within seconds even if the broker does not respond", async () => {
  await using database = await createDatabase();
  await insertEvents(database.pool("customer_api"), eventsOf(STORE, crypto.randomUUID(), 3));
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = silent.accept();
  let stopping = 0;
  {
    await using sink = kafkaSink(settings(`127.0.0.1:${silent.addr.port}`), PROTOBUF);
    await using _relay = startRelay(database.pool("customer_worker"), sink);
    await accepted;
    stopping = Date.now();
  }
  (await accepted).close();
  assert.ok(Date.now() - stopping < 6_000, `took ${Date.now() - stopping} ms`);
  assert.equal(await countUnpublished(database.admin), 3);
});

Deno.test("a batch deletes only rows that were published before the retention period", async () => {
  await using database = await createDatabase();
  const rows = Array.from({ length: 30 }, () => event("customer.created", STORE, crypto.randomUUID()));
  await insertEvents(database.pool("customer_api"), rows);
  const ids = rows.map((row) => row.eventId);
  await database.admin`
    update outbox set published_at = now() - interval '2 hours' - seq * interval '1 second' where event_id = any(${
    ids.slice(0, 25)
  })`;
  await database.admin`update outbox set published_at = now() where event_id = ${ids[25]!}`;
  const worker = database.pool("customer_worker");
  assert.equal(await deletePublished(worker, 3_600_000, 10), 10);
  const deleted = await Promise.all([1, 2].map(() => deletePublished(worker, 3_600_000, 10)));
  assert.equal(deleted[0]! + deleted[1]!, 15, "no row is deleted twice");
  const left = await database.admin<{ eventId: string }[]>`select event_id from outbox order by seq`;
  assert.deepEqual(left.map(({ eventId }) => eventId), ids.slice(25));
});

async function drained(database: TestDatabase): Promise<void> {
  await until("the outbox is drained", async () => await countUnpublished(database.admin) === 0);
}

function count(counts: { claimed: boolean; count: number }[], claimed: boolean): number {
  return counts.find((row) => row.claimed === claimed)?.count ?? 0;
}

function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
