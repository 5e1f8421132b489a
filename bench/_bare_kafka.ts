/**
 * Process with the bare producer of kafkajs, which prints the result of one round as JSON: `_bare_kafka.ts ADMIN_URL
 * BROKER`. It sends the events of all rows of the outbox, without the encoder that the relay gives to kafkajs.
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { Kafka, logLevel, type Message } from "kafkajs";
import postgres from "postgres";
import type { OutboxRow } from "../db/outbox.ts";
import { encodeRows } from "../events/encode.ts";

/** Messages of one produce request. */
const BATCH = 1_000;

const [adminUrl = "", broker = ""] = Deno.args;
const batches = await readBatches();
const kafka = new Kafka({ clientId: "bench", brokers: [broker], logLevel: logLevel.NOTHING });
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
await producer.connect();
for (const batch of batches) await producer.send({ acks: -1, ...batch }); // warms up, like the relay's earlier rounds
const before = process.cpuUsage();
const started = performance.now();
for (const batch of batches) await producer.send({ acks: -1, ...batch });
const seconds = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage(before);
const sent = batches.reduce((sum, { messages }) => sum + messages.length, 0);
const result = JSON.stringify({ perSecond: sent / seconds, ownCpu: (user + system) / sent });
await Deno.stdout.write(new TextEncoder().encode(result));
Deno.exit(); // kafkajs keeps timers

async function readBatches(): Promise<{ topic: string; messages: Message[] }[]> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => {} });
  const rows = await admin<OutboxRow[]>`
    select store_id as "storeId", event_id as "eventId", topic, key, payload, headers, created_at as "createdAt"
    from outbox order by seq`;
  await admin.end();
  const { events, refusals } = encodeRows(rows, { format: "protobuf", source: "/bench" });
  if (refusals.length > 0) throw new Error(`Cannot measure: ${refusals[0]!.reason}`);
  return [...Map.groupBy(events, ({ topic }) => topic)].flatMap(([topic, ofTopic]) => {
    const messages = ofTopic.map(({ key, value, headers }) => ({ key, value: Buffer.from(value), headers }));
    return Array.from(
      { length: Math.ceil(messages.length / BATCH) },
      (_, at) => ({ topic, messages: messages.slice(at * BATCH, (at + 1) * BATCH) }),
    );
  });
}
