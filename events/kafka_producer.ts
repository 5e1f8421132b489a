/** Idempotent Kafka producer of one topic. A topic that fails therefore affects no other topic. */
import { Buffer } from "node:buffer";
import type { ICustomPartitioner, Message } from "kafkajs";
import type { EncodedEvent } from "./encode.ts";
import { type KafkaSettings, openKafka, RETRY } from "./kafka_client.ts";
import { partitionOf } from "./partition.ts";
import { replaceProduceEncoder } from "./produce_request.ts";
import type { PrepareTopic } from "./topic_settings.ts";
import { traceSend } from "./instrumentation.ts";

export interface KafkaProducer {
  /**
   * Sends events in their order. Every in-sync replica has stored the events for which `onStored` is called. One call at
   * a time. Unusable after a failure.
   *
   * @throws the first failure, after all partitions have been tried
   */
  send(events: readonly EncodedEvent[], onStored: OnStored): Promise<void>;
  /** Closes the connection at once: nothing more is sent, and a call in progress fails soon. */
  cut(): void;
  /** Disconnects and returns when all resources are released. */
  close(): Promise<void>;
}

type OnStored = (events: readonly EncodedEvent[]) => void;

/** By default a broker accepts batches of up to 1 MiB. */
const REQUEST_BYTES = 900_000;
/** Time within which the in-sync replicas must store a request. */
const ACKNOWLEDGE_LIMIT_MS = 5_000;

/** An event and its message, which keeps the partition that was chosen. */
interface Outgoing {
  event: EncodedEvent;
  message: Message;
}

/** Connects in the background and creates missing topics. */
export function openKafkaProducer(
  topic: string,
  settings: KafkaSettings,
  prepare: PrepareTopic,
): KafkaProducer {
  replaceProduceEncoder();
  const { kafka, cut } = openKafka(settings);
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: pinnedPartitioner,
    retry: RETRY,
  });
  const connected = connect();
  let sending: Promise<unknown> = connected;

  async function connect() {
    const admin = kafka.admin();
    try {
      await admin.connect();
      await prepare(admin, topic);
    } finally {
      await admin.disconnect();
    }
    await producer.connect();
  }

  /** Returns the events that no partition has confirmed: kafkajs skips partitions whose leader moves between attempts. */
  async function request(outgoing: readonly Outgoing[]): Promise<Outgoing[]> {
    const messages = outgoing.map(({ message }) => message);
    const metadata = await traceSend(
      { topic, messages: messages.length, broker: settings.brokers[0] },
      () => producer.send({ acks: -1, timeout: ACKNOWLEDGE_LIMIT_MS, topic, messages }),
    );
    const confirmed = new Set(metadata.filter((one) => one.errorCode === 0).map((one) => one.partition));
    return outgoing.filter(({ message }) => !confirmed.has(message.partition!));
  }

  async function send(events: readonly EncodedEvent[], onStored: OnStored) {
    await connected;
    const attempt = createAttempt(onStored);
    for (const chunk of inRequests(events)) {
      await sendApart(await sendChunk(chunk, attempt), attempt);
      if (attempt.failures.length > 0) throw attempt.failures[0];
    }
  }

  /** Returns the events that the broker may not have stored. */
  async function sendChunk(chunk: readonly Outgoing[], attempt: Attempt): Promise<readonly Outgoing[]> {
    try {
      const missing = await request(chunk);
      attempt.store(chunk.filter((outgoing) => !missing.includes(outgoing)));
      return missing;
    } catch (error) {
      const isSent = chunk.every(({ message }) => message.partition !== undefined);
      if (isSent && isRefusal(error)) return chunk;
      throw error;
    }
  }

  /**
   * Sends partition by partition, because kafkajs names neither the partitions that a broker has refused nor those that
   * it has stored. A repeated batch has the same sequence numbers, so the broker does not store it twice.
   */
  async function sendApart(outgoing: readonly Outgoing[], attempt: Attempt): Promise<void> {
    for (const group of Map.groupBy(outgoing, ({ message }) => message.partition).values()) {
      try {
        await sendPartition(group, attempt);
      } catch (error) {
        attempt.failures.push(error);
        if (isTooLarge(error)) return; // not even the first event of the topic is accepted
      }
    }
  }

  /** Halves a batch that is too large. An event that is too large by itself refuses the later events of its key. */
  async function sendPartition(outgoing: readonly Outgoing[], attempt: Attempt): Promise<void> {
    const group = outgoing.filter(({ event }) => !attempt.refusedKeys.has(event.key));
    const [first] = group;
    if (!first) return;
    try {
      const [missing] = await request(group);
      if (missing) throw new Error(`Kafka has not confirmed ${topic}/${missing.message.partition}`);
      attempt.store(group);
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      if (group.length > 1) {
        const middle = Math.ceil(group.length / 2);
        await sendPartition(group.slice(0, middle), attempt);
        return await sendPartition(group.slice(middle), attempt);
      }
      if (!attempt.isAccepted) throw error;
      attempt.failures.push(error);
      attempt.refusedKeys.add(first.event.key);
    }
  }

  return {
    send(events, onStored) {
      const sent = send(events, onStored);
      sending = sent;
      return sent;
    },
    cut,
    async close() {
      await sending.catch(() => {});
      await producer.disconnect().catch(() => {});
      cut();
    },
  };
}

/** Progress of one call of `send`. */
interface Attempt {
  /** Whether the broker has stored an event of the call. */
  isAccepted: boolean;
  failures: unknown[];
  refusedKeys: Set<string>;
  store(outgoing: readonly Outgoing[]): void;
}

function createAttempt(onStored: OnStored): Attempt {
  return {
    isAccepted: false,
    failures: [],
    refusedKeys: new Set(),
    store(outgoing) {
      if (outgoing.length > 0) this.isAccepted = true;
      onStored(outgoing.map(({ event }) => event));
    },
  };
}

function toMessage({ key, value, headers }: EncodedEvent): Message {
  return { key, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength), headers };
}

/**
 * Java's partitioner, called once per message. A retry must repeat the same batch: the broker identifies batches by
 * sequence number only, and would drop a different one as a duplicate.
 */
const pinnedPartitioner: ICustomPartitioner = () => ({ message, partitionMetadata }) =>
  message.partition ??= partitionOf(String(message.key), partitionMetadata.length);

/** Whether the broker has answered with an error, which may concern some partitions only. */
function isRefusal(error: unknown): boolean {
  return codeOf(error) !== undefined;
}

function isTooLarge(error: unknown): boolean {
  return ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"].includes(codeOf(error) ?? "");
}

/** Kafka's name of the error that the broker returned; undefined if it returned none. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, type } = error as Error & { type?: string };
  return name === "KafkaJSProtocolError" ? type : codeOf(error.cause);
}

function* inRequests(events: readonly EncodedEvent[]): Generator<Outgoing[]> {
  let request: Outgoing[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = sizeOf(event);
    if (request.length > 0 && bytes + size > REQUEST_BYTES) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push({ event, message: toMessage(event) });
    bytes += size;
  }
  if (request.length > 0) yield request;
}

/** Upper estimate of a record's size in bytes. */
function sizeOf({ key, value, headers }: EncodedEvent): number {
  return Object.entries(headers).reduce(
    (sum, [name, value]) => sum + name.length + value.length + 10,
    key.length + value.length + 50,
  );
}
