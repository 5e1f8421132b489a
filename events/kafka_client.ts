/**
 * A connection to Kafka that can be cut at any moment. kafkajs retries by itself and cannot be told to stop, so
 * its sockets are made here: once they are cut, nothing leaves any more.
 */
import net from "node:net";
import tls from "node:tls";
import { getLogger } from "@logtape/logtape";
import { Kafka, logLevel, type SASLOptions } from "kafkajs";

export interface KafkaSettings {
  /** host:port each. */
  brokers: string[];
  ssl: boolean;
  sasl?: SASLOptions;
  /** For topics that have to be created. */
  partitions: number;
  replicationFactor: number;
}

export interface KafkaClient {
  kafka: Kafka;
  /** Cuts every connection, and lets no new one be made. */
  cut(): void;
}

/** Few and short: whoever uses the client begins anew after a failure. */
export const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 };
const CONNECT_LIMIT_MS = 3_000;

export function openKafka(settings: KafkaSettings): KafkaClient {
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
  return { kafka, cut: sockets.cut };
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
