/** Topics of a run: creates, limits and deletes them, and reads all their messages. */
import { fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Admin, ConfigResourceTypes, Kafka, logLevel } from "kafkajs";
import { missingTopics, TOPICS } from "../../events/topics.ts";
import type { Message, Row } from "./history.ts";

const SIZES = { partitions: 3, replicationFactor: 1 };
const READ_LIMIT_MS = 60_000;

export interface Topics {
  createAll(): Promise<void>;
  /** Limits the size of the messages that a topic accepts. */
  limit(topic: string, bytes: number): Promise<void>;
  remove(topic: string): Promise<void>;
  /** Number of messages in each partition of the topics, those that compaction has removed included. */
  ends(): Promise<Map<string, number>>;
}

export async function withTopics<T>(brokers: string, use: (topics: Topics) => Promise<T>): Promise<T> {
  const admin = client(brokers).admin();
  await admin.connect();
  try {
    return await use({
      async createAll() {
        await admin.createTopics({ topics: missingTopics([], SIZES), waitForLeaders: true });
      },
      limit: (topic, bytes) => limit(admin, topic, bytes),
      remove: (topic) => admin.deleteTopics({ topics: [topic] }),
      async ends() {
        const ends = new Map<string, number>();
        for (const topic of TOPICS.keys()) {
          for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
            if (Number(high) > 0) ends.set(`${topic} ${partition}`, Number(high));
          }
        }
        return ends;
      },
    });
  } finally {
    await admin.disconnect();
  }
}

async function limit(admin: Admin, topic: string, bytes: number): Promise<void> {
  const configEntries = [{ name: "max.message.bytes", value: String(bytes) }];
  const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }];
  await admin.alterConfigs({ validateOnly: false, resources });
}

/** Reads every message of every topic, from the first to the last one that there is now. */
export async function readMessages(brokers: string): Promise<Message[]> {
  const ends = await withTopics(brokers, ({ ends }) => ends());
  const messages: Message[] = [];
  if (ends.size === 0) return messages;
  const reached = Promise.withResolvers<void>();
  const consumer = client(brokers).consumer({
    groupId: `chaos-${crypto.randomUUID()}`,
    maxWaitTimeInMs: 100,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...TOPICS.keys()], fromBeginning: true });
  await consumer.run({
    eachBatch: ({ batch: { topic, partition, messages: batch } }) => {
      for (const { offset, key, value, headers } of batch) {
        messages.push(
          decode({ topic, partition, offset: Number(offset), key: String(key) }, value!, headers),
        );
        if (Number(offset) + 1 >= (ends.get(`${topic} ${partition}`) ?? 0)) {
          ends.delete(`${topic} ${partition}`);
        }
      }
      if (ends.size === 0) reached.resolve();
      return Promise.resolve();
    },
  });
  const timer = setTimeout(
    () => reached.reject(new Error(`Cannot read Kafka: ${[...ends.keys()].join(", ")} did not end`)),
    READ_LIMIT_MS,
  );
  try {
    await reached.promise;
  } finally {
    clearTimeout(timer);
    await consumer.disconnect();
  }
  return messages;
}

type Place = Pick<Message, "topic" | "partition" | "offset" | "key">;

function decode(place: Place, value: Uint8Array, headers: object = {}): Message {
  const texts = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)]));
  const schema = TOPICS.get(place.topic)!;
  const payload = toJson(schema, fromBinary(schema, new Uint8Array(value))) as JsonValue as Row;
  return { ...place, eventId: texts.ce_id ?? "", payload, headers: texts };
}

function client(brokers: string): Kafka {
  return new Kafka({
    clientId: "chaos",
    brokers: [brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20 },
  });
}
