/** Brings events to Kafka: a call returns once every in-sync replica has all of its events. */
import { Buffer } from "node:buffer";
import { type ICustomPartitioner, type Message, Partitioners, type RecordMetadata } from "kafkajs";
import type { EncodedEvent } from "./encode.ts";
import { type KafkaSettings, openKafka, RETRY } from "./kafka_client.ts";
import { prepareTopics } from "./topic_settings.ts";
import { watchSend } from "./watch.ts";

export interface KafkaLink {
  /** Returns when every in-sync replica has the events. One call at a time; after a failure the link is used up. */
  send(events: readonly EncodedEvent[]): Promise<void>;
  /** Cuts the connection: from now on nothing is sent, and a call under way fails soon. */
  cut(): void;
  /** Returns when nothing of the connection is left. */
  close(): Promise<void>;
}

/** Begins to connect, and creates the topics that are missing. */
export function openKafkaLink(settings: KafkaSettings): KafkaLink {
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
    const answers = await watchSend(
      topics,
      events.length,
      () => producer.sendBatch({ acks: -1, topicMessages }),
    );
    confirm(topicMessages, answers);
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
 * Java's partitioner, asked once a message. A retry must repeat the very same batch: the broker tells batches
 * apart by their sequence numbers alone, and would drop another one as already known.
 */
const pinnedPartitioner: ICustomPartitioner = () => {
  const choose = Partitioners.DefaultPartitioner();
  return (args) => args.message.partition ??= choose(args);
};

/** kafkajs leaves out partitions whose leader moves between two attempts, and tells nobody. */
function confirm(sent: { topic: string; messages: Message[] }[], answers: RecordMetadata[]): void {
  const confirmed = new Set(
    answers.filter(({ errorCode }) => errorCode === 0).map((answer) =>
      `${answer.topicName}/${answer.partition}`
    ),
  );
  for (const { topic, messages } of sent) {
    const missing = messages.find(({ partition }) => !confirmed.has(`${topic}/${partition}`));
    if (missing) throw new Error(`Kafka has not confirmed ${topic}/${missing.partition}`);
  }
}
