/** Idempotent Kafka producer. A call returns once every in-sync replica has stored its events. */
import { Buffer } from "node:buffer";
import { type ICustomPartitioner, type Message, Partitioners, type RecordMetadata } from "kafkajs";
import type { EncodedEvent } from "./encode.ts";
import { type KafkaSettings, openKafka, RETRY } from "./kafka_client.ts";
import { prepareTopics } from "./topic_settings.ts";
import { traceSend } from "./instrumentation.ts";

export interface KafkaProducer {
  /** Returns when every in-sync replica has the events. One call at a time. Unusable after a failure. */
  send(events: readonly EncodedEvent[]): Promise<void>;
  /** Closes the connection at once: nothing more is sent, and a call in progress fails soon. */
  cut(): void;
  /** Disconnects and returns when all resources are released. */
  close(): Promise<void>;
}

/** Connects in the background and creates missing topics. */
export function openKafkaProducer(settings: KafkaSettings): KafkaProducer {
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
      await prepareTopics(admin, settings);
    } finally {
      await admin.disconnect();
    }
    await producer.connect();
  }

  async function send(events: readonly EncodedEvent[]) {
    await connected;
    const topicMessages = [...Map.groupBy(events, (event) => event.topic)]
      .map(([topic, events]) => ({ topic, messages: events.map(toMessage) }));
    const topics = topicMessages.map(({ topic }) => topic);
    const metadata = await traceSend(
      topics,
      events.length,
      () => producer.sendBatch({ acks: -1, topicMessages }),
    );
    confirm(topicMessages, metadata);
  }

  return {
    send(events) {
      const sent = send(events);
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

function toMessage({ key, value, headers }: EncodedEvent): Message {
  return { key, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength), headers };
}

/**
 * Java's partitioner, called once per message. A retry must repeat the same batch: the broker identifies batches by
 * sequence number only, and would drop a different one as a duplicate.
 */
const pinnedPartitioner: ICustomPartitioner = () => {
  const choose = Partitioners.DefaultPartitioner();
  return (args) => args.message.partition ??= choose(args);
};

/** Throws if a partition did not confirm. kafkajs silently skips partitions whose leader moves between two attempts. */
function confirm(sent: { topic: string; messages: Message[] }[], metadata: RecordMetadata[]): void {
  const confirmed = new Set(
    metadata.filter(({ errorCode }) => errorCode === 0).map(({ topicName, partition }) =>
      `${topicName}/${partition}`
    ),
  );
  for (const { topic, messages } of sent) {
    const missing = messages.find(({ partition }) => !confirmed.has(`${topic}/${partition}`));
    if (missing) throw new Error(`Kafka has not confirmed ${topic}/${missing.partition}`);
  }
}
