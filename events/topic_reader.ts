/**
 * Reads a topic that is compacted. kafkajs' own consumer stands still where compaction has emptied a batch
 * (https://github.com/tulios/kafkajs/issues/1072): the answer has no record that would move it on. So the batches
 * are asked for one by one here, over the connection that kafkajs keeps to itself.
 */
import { pause } from "../lib/timeout.ts";
import type { Kafka } from "kafkajs";
import { type KafkaSettings, openKafka } from "./kafka_client.ts";

export interface TopicRecord {
  partition: number;
  offset: bigint;
  /** Null: a tombstone. */
  value: Uint8Array | null;
  headers: Record<string, string>;
}

export interface ReadOptions {
  /** How far before its end each partition is read from; absent: from its beginning. */
  last?: number;
  signal?: AbortSignal;
}

const ATTEMPTS = 5;

/** Reads every partition up to where it ends at the call, a batch at a time. */
export async function* readTopic(
  settings: KafkaSettings,
  topic: string,
  { last, signal }: ReadOptions = {},
): AsyncGenerator<TopicRecord[]> {
  signal?.throwIfAborted();
  const { kafka, cut } = openKafka(settings);
  signal?.addEventListener("abort", cut);
  const cluster = openCluster(kafka);
  try {
    await cluster.connect();
    await findTopic(cluster, topic);
    for (const { partition, low, end } of await findRanges(cluster, topic)) {
      const late = end - BigInt(last ?? 0);
      let next = last === undefined || late < low ? low : late;
      while (next < end) {
        const { highWatermark, messages } = await fetchFrom(cluster, topic, partition, next, signal);
        const found = messages.filter(({ offset }) => BigInt(offset) >= next && BigInt(offset) < end);
        const records = found.filter(({ isControlRecord }) => !isControlRecord);
        if (records.length > 0) yield records.map((message) => toRecord(partition, message));
        const furthest = messages.at(-1);
        if (furthest && BigInt(furthest.offset) >= next) next = BigInt(furthest.offset) + 1n;
        // The partition goes on behind it, so what stood at this offset is gone.
        else if (BigInt(highWatermark) > next) next++;
        // Otherwise a new leader does not know yet how far the partition goes: it is asked again.
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", cut);
    await cluster.disconnect().catch(() => {});
    cut();
  }
}

async function findTopic(cluster: Cluster, topic: string): Promise<void> {
  await cluster.addTargetTopic(topic).catch((error) => {
    if (error.type !== "UNKNOWN_TOPIC_OR_PARTITION") throw error;
    throw new Error(`Kafka has no topic ${topic}`, { cause: error });
  });
}

async function findRanges(cluster: Cluster, topic: string) {
  const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({
    partition: partitionId,
  }));
  const [lows, ends] = await Promise.all([true, false].map(async (fromBeginning) => {
    const [answer] = await cluster.fetchTopicsOffset([{ topic, fromBeginning, partitions }]);
    return new Map(answer?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }));
  return partitions.map(({ partition }) => {
    const [low, end] = [lows?.get(partition), ends?.get(partition)];
    if (low === undefined || end === undefined) {
      throw new Error(`Kafka does not say where ${topic}/${partition} ends`);
    }
    return { partition, low, end };
  });
}

/** One answer of the partition's leader. It has a record at the offset or behind it, if there is one. */
async function fetchFrom(
  cluster: Cluster,
  topic: string,
  partition: number,
  offset: bigint,
  signal: AbortSignal | undefined,
): Promise<FetchedPartition> {
  for (let attempt = 1;; attempt++) {
    try {
      const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
      const broker = await cluster.findBroker({ nodeId: String(nodeId) });
      const { responses } = await broker.fetch({
        replicaId: -1,
        isolationLevel: 0,
        maxWaitTime: 500,
        minBytes: 1,
        topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: 1_048_576 }] }],
      });
      const [answer] = responses[0]?.partitions ?? [];
      if (!answer) throw new Error(`Kafka has answered nothing about ${topic}/${partition}`);
      return answer;
    } catch (error) {
      const retriable = error instanceof Error && "retriable" in error && error.retriable === true;
      if (!retriable || attempt === ATTEMPTS || signal?.aborted) throw error;
      await pause(200 * attempt);
      await cluster.refreshMetadata();
    }
  }
}

function toRecord(partition: number, { offset, value, headers }: FetchedMessage): TopicRecord {
  const texts = Object.entries(headers).map(([name, header]) => [name, String(header)]);
  return {
    partition,
    offset: BigInt(offset),
    value: value && new Uint8Array(value),
    headers: Object.fromEntries(texts),
  };
}

/** The part of kafkajs 2.2.4's inner `Cluster` that is used here. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(topic: string): { partitionId: number }[];
  /** The partitions by the id of their leader. */
  findLeaderForPartitions(topic: string, partitions: number[]): Record<string, number[]>;
  fetchTopicsOffset(
    topics: { topic: string; fromBeginning: boolean; partitions: { partition: number }[] }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>;
  findBroker(node: { nodeId: string }): Promise<{
    fetch(request: object): Promise<{ responses: { partitions: FetchedPartition[] }[] }>;
  }>;
}

interface FetchedPartition {
  highWatermark: string;
  messages: FetchedMessage[];
}

interface FetchedMessage {
  offset: string;
  value: Uint8Array | null;
  headers: Record<string, unknown>;
  isControlRecord: boolean;
}

function openCluster(kafka: Kafka): Cluster {
  const name = Object.getOwnPropertySymbols(kafka)
    .find(({ description }) => description === "private:Kafka:createCluster");
  if (!name) throw new Error("This version of kafkajs keeps its connections elsewhere: expected 2.2.4");
  const inner = kafka as unknown as Record<symbol, (options: object) => Cluster>;
  return inner[name]!({ metadataMaxAge: 300_000, allowAutoTopicCreation: false });
}
