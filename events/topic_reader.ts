/**
 * Reader for compacted topics. kafkajs' consumer stalls at a batch that compaction has emptied
 * (https://github.com/tulios/kafkajs/issues/1072), because the response has no record that would advance it. So this
 * reader fetches the batches itself, over kafkajs' private connection.
 */
import { pause } from "../lib/timeout.ts";
import type { Kafka } from "kafkajs";
import type { KafkaSettings } from "./kafka_client.ts";
import { requireBroker } from "./reachability.ts";

export interface TopicRecord {
  partition: number;
  offset: bigint;
  /** Null: a tombstone. */
  value: Uint8Array | null;
  headers: Record<string, string>;
}

export interface TopicReadOptions {
  /** Number of offsets before the end of each partition at which to start; by default at its beginning. */
  last?: number;
  /**
   * Offsets by partition at which to start instead. A partition that ends before its offset was created again, and is
   * read from its beginning.
   */
  from?: ReadonlyMap<number, bigint>;
  signal?: AbortSignal;
}

const ATTEMPTS = 5;

/** Reads every partition up to its end at the time of the call, in batches. */
export async function* readTopic(
  settings: KafkaSettings,
  topic: string,
  { last, from, signal }: TopicReadOptions = {},
): AsyncGenerator<TopicRecord[]> {
  signal?.throwIfAborted();
  await requireBroker(settings.brokers, signal);
  const { openKafka } = await import("./kafka_client.ts"); // large, and not needed without a broker
  signal?.throwIfAborted();
  const { kafka, cut } = openKafka(settings);
  signal?.addEventListener("abort", cut);
  const cluster = openCluster(kafka);
  try {
    await cluster.connect();
    await findTopic(cluster, topic);
    for (const { partition, low, end } of await findRanges(cluster, topic)) {
      const late = end - BigInt(last ?? 0);
      const position = from?.get(partition);
      let next = last === undefined || late < low ? low : late;
      if (position !== undefined && position > low && position <= end) next = position;
      while (next < end) {
        const { highWatermark, messages } = await fetchFrom(
          cluster,
          { topic, partition, offset: next },
          signal,
        );
        const messagesInRange = messages.filter(({ offset }) =>
          BigInt(offset) >= next && BigInt(offset) < end
        );
        const records = messagesInRange.filter(({ isControlRecord }) => !isControlRecord);
        if (records.length > 0) yield records.map((message) => toRecord(partition, message));
        const furthest = messages.at(-1);
        if (furthest && BigInt(furthest.offset) >= next) next = BigInt(furthest.offset) + 1n;
        // The partition has later records, so the one at this offset was compacted away.
        else if (BigInt(highWatermark) > next) next++;
        // Otherwise a new leader does not know the end of the partition yet: fetch again.
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
    const [offsets] = await cluster.fetchTopicsOffset([{ topic, fromBeginning, partitions }]);
    return new Map(offsets?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }));
  return partitions.map(({ partition }) => {
    const [low, end] = [lows?.get(partition), ends?.get(partition)];
    if (low === undefined || end === undefined) {
      throw new Error(`Kafka returned no offsets of ${topic}/${partition}`);
    }
    return { partition, low, end };
  });
}

/** One fetch from the partition's leader. It returns the first records at or after the offset. */
async function fetchFrom(
  cluster: Cluster,
  { topic, partition, offset }: { topic: string; partition: number; offset: bigint },
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
      const [fetched] = responses[0]?.partitions ?? [];
      if (!fetched) throw new Error(`Kafka returned nothing about ${topic}/${partition}`);
      return fetched;
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

/** The part of kafkajs 2.2.4's private `Cluster` that this module uses. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(topic: string): { partitionId: number }[];
  /** Partitions by the ID of their leader. */
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
  if (!name) throw new Error("This version of kafkajs has no private createCluster: expected 2.2.4");
  const inner = kafka as unknown as Record<symbol, (options: object) => Cluster>;
  return inner[name]!({ metadataMaxAge: 300_000, allowAutoTopicCreation: false });
}
