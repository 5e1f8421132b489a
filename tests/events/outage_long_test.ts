/** Outages of a broker: down at the start, killed during writes, and silent. tests/chaos suspends one. */
import assert from "node:assert/strict";
import type { Sql } from "../../db/connect.ts";
import type { OutboxRow } from "../../db/outbox.ts";
import { kafkaSink } from "../../events/kafka_sink.ts";
import { startRelay } from "../../events/relay.ts";
import { createDatabase } from "../database.ts";
import { startBroker } from "../kafka/broker.ts";
import { assertOrder, consume, kafkaTest, PROTOBUF, settings, withAdmin } from "./kafka.ts";
import { countUnpublished, eventsOf, insertEvents, interleave } from "./outbox.ts";
import { until } from "./waiting.ts";

const STORE = crypto.randomUUID();
const CONCURRENCY = 2;

kafkaTest("writes succeed while the broker is down, and the backlog drains after its recovery", async () => {
  await using database = await createDatabase();
  const api = database.pool("customer_api");
  await using broker = await startBroker();
  await broker.stop();
  const customers = Array.from({ length: 40 }, () => crypto.randomUUID());
  const rows: OutboxRow[] = [];
  const write = async (sql: Sql) => {
    const more = interleave(customers.map((customer) => eventsOf(STORE, customer, 10)));
    await insertEvents(sql, more);
    rows.push(...more);
  };
  const drained = () =>
    until("the backlog is drained", async () => await countUnpublished(database.admin) === 0);

  // The broker is down when the relay starts.
  await using sink = kafkaSink({ ...settings(broker.brokers), partitions: 5 }, PROTOBUF);
  await using _relay = startRelay(database.pool("customer_worker"), sink, {
    publishLimitMs: 1_500,
    concurrency: CONCURRENCY,
  });
  await write(api);
  await broker.start();
  await drained();
  const { topics } = await withAdmin((admin) => admin.fetchTopicMetadata(), broker.brokers);
  const partitions = topics.filter(({ name }) => !name.startsWith("__"))
    .map((topic) => [topic.name, topic.partitions.length]);
  assert.deepEqual(partitions.sort(), [
    ["audit.event", 5],
    ["customer.created", 5],
    ["customer.erased", 5],
    ["customer.erasure_requested", 5],
    ["customer.group_assigned", 5],
    ["customer.group_removed", 5],
    ["customer.updated", 5],
    ["gdpr.notice_due", 5],
  ]);

  // The broker is killed during writes.
  let writing = true;
  const writes = (async () => {
    while (writing) await write(api);
  })();
  await broker.stop("SIGKILL");
  const waiting = await countUnpublished(database.admin);
  await until("writes go on", async () => await countUnpublished(database.admin) > waiting + 800);
  writing = false;
  await writes;
  await broker.start();
  await drained();

  // The broker accepts connections and does not respond.
  broker.suspend();
  await write(api);
  const attempts = new Set<string>();
  await until("the relay gives up a transaction and begins another", async () => {
    for (const begun of await openTransactions(database.admin)) attempts.add(begun);
    return attempts.size > CONCURRENCY;
  });
  broker.resume();
  await drained();

  await using consumer = await consume(customers, broker.brokers);
  await consumer.sees(rows);
  assertOrder(consumer.received, rows);
});

/** Start times of the relay's transactions that wait for the broker. */
async function openTransactions(admin: Sql): Promise<string[]> {
  const rows = await admin<{ begun: string }[]>`
    select xact_start::text as begun from pg_stat_activity
    where datname = current_database() and application_name = 'customer-service customer_worker'
      and state = 'idle in transaction' and xact_start < now() - interval '1 second'`;
  return rows.map(({ begun }) => begun);
}
