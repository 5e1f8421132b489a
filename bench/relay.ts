/**
 * `deno task bench relay`: the outbox relay compared with bare kafkajs that sends the same bytes, in alternating rounds on
 * one Kafka broker. Needs Java and Kafka like the tests.
 *
 * `--rows=50000 --keys=25000 --rounds=4`
 */
import process from "node:process";
import postgres from "postgres";
import { openPool } from "../db/connect.ts";
import { kafkaSink } from "../events/kafka_sink.ts";
import { startRelay } from "../events/relay.ts";
import { startBroker } from "../tests/kafka/broker.ts";
import { KafkaMissing } from "../tests/kafka/installation.ts";
import { barsOf, compareRounds, OURS, runRounds } from "./_compare.ts";
import { openDatabase } from "./_database.ts";
import { cpuMicroseconds } from "./_processes.ts";
import { options, type Report } from "./_report.ts";
import { formatNumber, formatRatios, formatSpread, median, ratioOf, spread } from "./_statistics.ts";

const STORE = "00000000-0000-4000-8000-000000000000";
const EVENT = { format: "protobuf", source: "/bench" } as const;
const BARE = new URL("./_bare_kafka.ts", import.meta.url).pathname;

interface Rate {
  perSecond: number;
  /** CPU microseconds a message. */
  ownCpu: number;
}

interface Measured extends Rate {
  postgresCpu: number;
}

export async function relay(args: string[]): Promise<Report> {
  const settings = options(args, { rows: 50_000, keys: 25_000, rounds: 4 });
  await using stack = new AsyncDisposableStack();
  const broker = await startBroker().catch((error) => {
    if (!(error instanceof KafkaMissing)) throw error;
    return error.message;
  });
  if (typeof broker === "string") return { notes: [`Kafka is not available: ${broker}.`], tables: [] };
  stack.use(broker);
  const database = stack.use(await openDatabase());
  const admin = stack.adopt(postgres(database.adminUrl, { max: 1, onnotice: () => {} }), (sql) => sql.end());
  await loadOutbox(admin, settings);
  const kafka = { brokers: [broker.brokers], partitions: 3, replicationFactor: 1 };
  const variants: Record<string, () => Promise<Rate>> = {
    [OURS]: () => publish({ url: database.url, admin, kafka, rows: settings.rows }),
    "bare kafkajs": () => publishBare(database.adminUrl, broker.brokers),
  };
  const names = Object.keys(variants);
  const measure = async (name: string): Promise<Measured> => {
    await admin`update outbox set published_at = null where published_at is not null`;
    await admin`vacuum outbox`;
    await admin`checkpoint`;
    const before = await cpuMicroseconds(database.pid, true);
    const rate = await variants[name]!();
    return { ...rate, postgresCpu: (await cpuMicroseconds(database.pid, true) - before) / settings.rows };
  };
  for (const name of names) await measure(name); // warms up
  const rounds = await runRounds("relay", settings.rounds, names, measure);
  const bare = rounds.get("bare kafkajs")!;
  const rows = [...rounds].map(([name, results]) => [
    name,
    formatSpread(spread(results.map((one) => one.perSecond))),
    formatNumber(median(results.map((one) => one.ownCpu))),
    formatNumber(median(results.map((one) => one.postgresCpu))),
    name === OURS
      ? formatRatios(
        ratioOf(results.map((one) => one.perSecond), bare.map((one) => one.perSecond)),
        "higher",
      )
      : "–",
  ]);
  return {
    notes: [
      `${formatNumber(settings.rows)} events of ${
        formatNumber(settings.keys)
      } keys, the same bytes to one broker, ` +
      `idempotent, acknowledged by all in-sync replicas, ${settings.rounds} rounds.`,
    ],
    tables: [{
      title: "relay",
      head: ["", "events/s", "CPU µs/event", "PostgreSQL CPU µs/event", "÷ bare kafkajs"],
      rows,
    }],
    plots: [{
      name: "relay-rate",
      title: "Relay to Kafka: events per second",
      unit: "events/s",
      better: "higher",
      groups: [{ name: "one broker", bars: barsOf(rounds, (one) => one.perSecond) }],
    }],
    comparisons: compareRounds("relay to Kafka: events/s", rounds, (one) => one.perSecond, "higher"),
  };
}

/** Inserts the two events of a change of a profile, change by change, spread over the keys. */
async function loadOutbox(
  admin: postgres.Sql,
  { rows, keys }: { rows: number; keys: number },
): Promise<void> {
  await admin`
    insert into outbox (store_id, event_id, topic, key, payload, headers, created_at)
    select ${STORE}, event_id, topic, key, payload || jsonb_build_object(
        'eventId', event_id, 'storeId', ${STORE}::text, 'customerId', key, 'occurredAt', '2026-01-01T00:00:00.123Z',
        'traceId', '4bf92f3577b34da6a3ce929d0e0e4736', 'changedFields', array['firstName', 'phone']),
      jsonb_build_object('ce_id', event_id, 'ce_time', '2026-01-01T00:00:00.123Z', 'ce_subject', key,
        'traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00'),
      '2026-01-01T00:00:00.123Z'
    from (
      select event_id, key, case i % 2 when 0 then 'customer.updated' else 'audit.event' end as topic,
        case i % 2 when 0 then '{"version": 2}'::jsonb else jsonb_build_object(
          'action', 'CUSTOMER_UPDATED', 'actor', jsonb_build_object('id', key, 'type', 'CUSTOMER'),
          'target', jsonb_build_object('type', 'customer', 'id', key),
          'before', '{"state": "active", "version": 1}'::jsonb,
          'after', '{"state": "active", "version": 2}'::jsonb) end as payload
      from generate_series(1, ${rows}::int) i,
        lateral (select gen_random_uuid() as event_id, md5((i / 2 % ${keys}::int)::text)::uuid::text as key) row
    ) events`;
  await admin`vacuum analyze outbox`;
}

interface Publishing {
  url: string;
  admin: postgres.Sql;
  kafka: Parameters<typeof kafkaSink>[0];
  rows: number;
}

/** Publishes every row. The rate is that from the first committed batch to the last one. */
async function publish({ url, admin, kafka, rows }: Publishing): Promise<Rate> {
  const before = process.cpuUsage();
  const sql = openPool(url, "customer_worker", 4);
  const sink = kafkaSink(kafka, EVENT);
  const relay = startRelay(sql, sink);
  relay.wake();
  while ((await admin`select from outbox where published_at is null limit 1`).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await relay[Symbol.asyncDispose]();
  await sink[Symbol.asyncDispose]();
  await sql.end();
  const { user, system } = process.cpuUsage(before);
  const [seen] = await admin<{ perSecond: number }[]>`
    select (count(*) filter (where published_at > first) / extract(epoch from max(published_at) - first))::float8
      as "perSecond"
    from outbox, (select min(published_at) as first from outbox) first
    group by first`;
  return { perSecond: seen!.perSecond, ownCpu: (user + system) / rows };
}

async function publishBare(adminUrl: string, broker: string): Promise<Rate> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", BARE, adminUrl, broker],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("Cannot continue: the bare producer has failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}
