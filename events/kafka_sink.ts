/** Kafka sink. It connects at the first publish, and again after every failure. */
import { type EncodedEvent, encodeRows, type EventFormat } from "./encode.ts";
import type { KafkaSettings } from "./kafka_client.ts";
import { type KafkaProducer, openKafkaProducer } from "./kafka_producer.ts";
import type { Sink } from "./sink.ts";

/** By default a broker accepts batches of up to 1 MiB. */
const REQUEST_BYTES = 900_000;

export function kafkaSink(settings: KafkaSettings, format: EventFormat): Sink {
  let producer: KafkaProducer | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const closing = new Set<Promise<void>>();

  async function deliver(events: readonly EncodedEvent[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const current = producer ??= openKafkaProducer(settings);
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {}); // it may reject after the race has ended
    const abort = () => {
      current.cut();
      aborted.reject(signal.reason);
    };
    signal.addEventListener("abort", abort);
    try {
      for (const request of inRequests(events)) {
        await Promise.race([current.send(request), aborted.promise]);
      }
    } catch (error) {
      // A new producer has a new producer ID. What the broker stored from the old one is unknown.
      producer = undefined;
      current.cut();
      const closed = current.close().finally(() => closing.delete(closed));
      closing.add(closed);
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  return {
    async publish(rows, signal) {
      const events = encodeRows(rows, format);
      // One at a time, retries included: see KafkaProducer.send.
      const delivered = turn.then(() => deliver(events, signal));
      turn = delivered.catch(() => {});
      await delivered;
    },
    async [Symbol.asyncDispose]() {
      await turn;
      await producer?.close();
      await Promise.all(closing);
    },
  };
}

function* inRequests(events: readonly EncodedEvent[]): Generator<EncodedEvent[]> {
  let request: EncodedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = sizeOf(event);
    if (request.length > 0 && bytes + size > REQUEST_BYTES) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(event);
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
