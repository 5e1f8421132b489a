/** Real Kafka consumer for tests. */
import assert from "node:assert/strict";
import { type Admin, Kafka, logLevel } from "kafkajs";
import type { EventSettings } from "../../events/encode.ts";
import type { OutboxRow } from "../../db/outbox.ts";
import { missingTopics, TOPICS } from "../../events/topics.ts";
import { until } from "./waiting.ts";

/** host:port of the broker that tests/run.ts has started; undefined if Kafka is not available. */
export const SHARED_BROKER = Deno.env.get("TEST_KAFKA");
export const PARTITIONS = 3;

/** A test that is skipped if Kafka is not available. */
export function kafkaTest(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name, ignore: !SHARED_BROKER, fn });
}

/** Settings of the events that the sinks of tests publish. */
export const PROTOBUF: EventSettings = { format: "protobuf", source: "/test" };

/** Settings of the sinks of tests. */
export function settings(broker = SHARED_BROKER!) {
  return { brokers: [broker], partitions: PARTITIONS, replicationFactor: 1 };
}

export interface Received {
  topic: string;
  partition: number;
  key: string;
  value: Uint8Array;
  headers: Record<string, string>;
}

export interface Consumer extends AsyncDisposable {
  /** In order of arrival, duplicates included. */
  received: Received[];
  /** Waits until each of the events has arrived at least once. */
  sees(rows: readonly OutboxRow[], limitMs?: number): Promise<void>;
}

/** Consumes all existing and later events with these keys. Other tests may use the same broker. */
export async function consume(keys: Iterable<string>, broker = SHARED_BROKER!): Promise<Consumer> {
  await withAdmin(async (admin) => {
    await admin.createTopics({
      topics: missingTopics([], settings(broker)),
    });
  }, broker);
  const keySet = new Set(keys);
  const received: Received[] = [];
  const arrived = new Set<string>();
  const consumer = client(broker).consumer({ groupId: `test-${crypto.randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [...TOPICS.keys()], fromBeginning: true });
  await consumer.run({
    eachBatch: ({ batch }) => {
      for (const { key, value, headers } of batch.messages) {
        if (!keySet.has(String(key))) continue;
        const text = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
        const message: Received = {
          topic: batch.topic,
          partition: batch.partition,
          key: String(key),
          value: new Uint8Array(value!),
          headers: Object.fromEntries(text),
        };
        received.push(message);
        arrived.add(message.headers.ce_id!);
      }
      return Promise.resolve();
    },
  });
  return {
    received,
    sees: (rows, limitMs) =>
      until("the consumer sees every event", () => rows.every((row) => arrived.has(row.eventId)), limitMs),
    [Symbol.asyncDispose]: () => consumer.disconnect(),
  };
}

export async function withAdmin<T>(use: (admin: Admin) => Promise<T>, broker = SHARED_BROKER!): Promise<T> {
  const admin = client(broker).admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/**
 * Asserts that each key's events first arrived in the order of the rows, topic by topic, because Kafka has no order
 * between topics. Duplicates may arrive at any time.
 */
export function assertOrder(received: readonly Received[], rows: readonly OutboxRow[]): void {
  const sequences = (events: readonly { topic: string; key: string; id: string }[]) => {
    const lists: Record<string, string[]> = {};
    for (const { topic, key, id } of events) (lists[`${topic} ${key}`] ??= []).push(id);
    return lists;
  };
  const first = new Map<string, Received>();
  for (const message of received) {
    const id = message.headers.ce_id!;
    if (!first.has(id)) first.set(id, message);
  }
  assert.deepEqual(
    sequences([...first].map(([id, { topic, key }]) => ({ topic, key, id }))),
    sequences(rows.map(({ topic, key, eventId }) => ({ topic, key, id: eventId }))),
  );
}

function client(broker: string): Kafka {
  return new Kafka({
    clientId: "test",
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20 },
  });
}
