/** Reachability of Kafka: whether a broker accepts connections. kafkajs only reports it after retries. */
import net from "node:net";

const LIMIT_MS = 3_000;

/**
 * Returns when the first broker accepts a connection.
 *
 * @param brokers host:port each
 * @throws {Error} no broker accepts one, or the signal has aborted
 */
export async function requireBroker(brokers: readonly string[], signal?: AbortSignal): Promise<void> {
  const sockets = brokers.map((broker) => {
    const { hostname, port } = new URL(`kafka://${broker}`);
    return net.connect({ host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) });
  });
  const end = () => sockets.forEach((socket) => socket.destroy(new Error("no broker has answered in time")));
  const timer = setTimeout(end, LIMIT_MS);
  signal?.addEventListener("abort", end);
  try {
    await Promise.any(sockets.map((socket) => connected(socket)));
  } catch (error) {
    signal?.throwIfAborted();
    const [cause] = (error as AggregateError).errors;
    throw new Error(`Cannot connect to Kafka: ${cause.message}`, { cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
    for (const socket of sockets) socket.destroy();
  }
}

function connected(socket: net.Socket): Promise<void> {
  return new Promise((resolve, reject) => socket.once("connect", resolve).on("error", reject));
}
