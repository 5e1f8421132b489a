/**
 * Kafka client whose connections can be closed at any time. kafkajs retries without a way to stop it, so this module
 * creates the sockets itself. Once they are closed, nothing more is sent.
 */
import net from "node:net";
import tls from "node:tls";
import { getLogger } from "@logtape/logtape";
import { Kafka, logLevel, type SASLOptions } from "kafkajs";
import { correctRequestQueue } from "./request_queue.ts";

export interface KafkaSettings {
  /** host:port each. */
  brokers: string[];
  /** Undefined: plain text. */
  tls?: KafkaTls;
  sasl?: SASLOptions;
  /** For topics that the service creates. */
  partitions: number;
  replicationFactor: number;
}

/** PEM texts. Without a CA, the default authorities are trusted. */
export interface KafkaTls {
  ca?: string;
  /** Certificate of this service, and its private key. */
  identity?: { certificate: string; key: string };
}

export interface KafkaClient {
  kafka: Kafka;
  /** Closes every connection and prevents new ones. */
  cut(): void;
}

/** Few and short, because users of the client reconnect after a failure. */
export const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 };
const CONNECT_LIMIT_MS = 3_000;

export function openKafka(settings: KafkaSettings): KafkaClient {
  correctRequestQueue();
  const sockets = createSockets();
  const kafka = new Kafka({
    clientId: "customer-service",
    brokers: settings.brokers,
    ...(settings.tls && { ssl: toTlsOptions(settings.tls) }),
    ...(settings.sasl ? { sasl: settings.sasl } : {}),
    connectionTimeout: CONNECT_LIMIT_MS,
    retry: RETRY,
    socketFactory: sockets.factory,
    logLevel: logLevel.WARN,
    logCreator,
  });
  return { kafka, cut: sockets.cut };
}

function toTlsOptions({ ca, identity }: KafkaTls): tls.ConnectionOptions {
  return { ...(ca && { ca }), ...(identity && { cert: identity.certificate, key: identity.key }) };
}

/** Sockets of one client, all of which can be closed at once. */
function createSockets() {
  const open = new Set<net.Socket>();
  let isCut = false;
  return {
    factory({ host, port, ssl, onConnect }: SocketArguments): net.Socket {
      if (isCut) throw new Error("the connection was closed");
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
      // With an error, because kafkajs ignores a plain close.
      for (const socket of open) socket.destroy(new Error("the connection was closed"));
    },
  };
}

interface SocketArguments {
  host: string;
  port: number;
  ssl: tls.ConnectionOptions;
  onConnect: () => void;
}

/** Logs kafkajs' messages at debug level. It reports every attempt, and real failures reach the caller as errors. */
function logCreator() {
  const log = getLogger(["customer-service", "events", "kafka"]);
  return ({ namespace, log: { message } }: { namespace: string; log: { message: string } }) =>
    log.debug("{namespace}: {message}", { namespace, message });
}
