/**
 * A connection to Kafka that can be cut at any moment. kafkajs retries by itself and cannot be told to stop, so
 * its sockets are made here: once they are cut, nothing leaves any more.
 */
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import { getLogger } from "@logtape/logtape";
import {
  type Admin,
  type ICustomPartitioner,
  Kafka,
  logLevel,
  type Message,
  Partitioners,
  type RecordMetadata,
  type SASLOptions,
} from "kafkajs";
import type { EncodedEvent } from "./encode.ts";
import { TOPICS } from "./topics.ts";

export interface KafkaSettings {
  /** host:port each. */
  brokers: string[];
  ssl: boolean;
  sasl?: SASLOptions;
  /** For topics that have to be created. */
  partitions: number;
  replicationFactor: number;
}

export interface KafkaLink {
  /** Returns when every in-sync replica has the events. One call at a time; after a failure the link is used up. */
  send(events: readonly EncodedEvent[]): Promise<void>;
  /** Cuts the connection: from now on nothing is sent, and a call under way fails soon. */
  cut(): void;
  /** Returns when nothing of the connection is left. */
  close(): Promise<void>;
}

/** Few and short: whoever uses the link begins anew after a failure. */
const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 };
const CONNECT_LIMIT_MS = 3_000;

/** Begins to connect, and creates the topics that are missing. */
export function openKafkaLink(settings: KafkaSettings): KafkaLink {
  const sockets = createSockets();
  const kafka = new Kafka({
    clientId: "customer-service",
    brokers: settings.brokers,
    ssl: settings.ssl,
    ...(settings.sasl ? { sasl: settings.sasl } : {}),
    connectionTimeout: CONNECT_LIMIT_MS,
    retry: RETRY,
    socketFactory: sockets.factory,
    logLevel: logLevel.WARN,
    logCreator,
  });
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
      await createMissingTopics(admin, settings);
    } finally {
      await admin.disconnect();
    }
    await producer.connect();
  }

  async function send(events: readonly EncodedEvent[]) {
    await connected;
    const topicMessages = [...Map.groupBy(events, (event) => event.topic)]
      .map(([topic, events]) => ({ topic, messages: events.map(toMessage) }));
    confirm(topicMessages, await producer.sendBatch({ acks: -1, topicMessages }));
  }

  return {
    send(events) {
      const sent = send(events);
      sending = sent;
      return sent;
    },
    cut: sockets.cut,
    async close() {
      await sending.catch(() => {});
      await producer.disconnect().catch(() => {});
      sockets.cut();
    },
  };
}

async function createMissingTopics(admin: Admin, { partitions, replicationFactor }: KafkaSettings) {
  const existing = new Set(await admin.listTopics());
  const topics = [...TOPICS.keys()]
    .filter((topic) => !existing.has(topic))
    .map((topic) => ({ topic, numPartitions: partitions, replicationFactor }));
  if (topics.length > 0) await admin.createTopics({ topics });
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

/** The sockets of one connection, all of which can be cut at once. */
function createSockets() {
  const open = new Set<net.Socket>();
  let isCut = false;
  return {
    factory({ host, port, ssl, onConnect }: SocketArguments): net.Socket {
      if (isCut) throw new Error("the connection has been cut");
      const socket = ssl
        ? tls.connect({ host, port, ...(net.isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
        : net.connect({ host, port }, onConnect);
      socket.setKeepAlive(true, 60_000);
      open.add(socket);
      socket.once("close", () => open.delete(socket));
      return socket;
    },
    cut() {
      isCut = true;
      // With an error, because kafkajs hears of nothing else.
      for (const socket of open) socket.destroy(new Error("the connection has been cut"));
    },
  };
}

interface SocketArguments {
  host: string;
  port: number;
  ssl: tls.ConnectionOptions;
  onConnect: () => void;
}

/** kafkajs tells of every attempt. What matters reaches the caller as an error, so its own words are for debugging. */
function logCreator() {
  const log = getLogger(["customer-service", "events", "kafka"]);
  return ({ namespace, log: { message } }: { namespace: string; log: { message: string } }) =>
    log.debug("{namespace}: {message}", { namespace, message });
}
