/** Publishes events to Kafka, connecting when there is something to publish and again after every failure. */
import { type EncodedEvent, encodeRows, type EventFormat } from "./encode.ts";
import type { KafkaSettings } from "./kafka_client.ts";
import { type KafkaLink, openKafkaLink } from "./kafka_link.ts";
import type { Sink } from "./sink.ts";

/** A broker takes 1 MiB a batch unless it is told otherwise. */
const REQUEST_BYTES = 900_000;

export function kafkaSink(settings: KafkaSettings, format: EventFormat): Sink {
  let link: KafkaLink | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const closing = new Set<Promise<void>>();

  async function deliver(events: readonly EncodedEvent[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const current = link ??= openKafkaLink(settings);
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {}); // nobody may be waiting when it comes
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
      // A new link comes with a new producer id: nobody can tell how far the broker has got with the old one.
      link = undefined;
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
      // One after another, retries included: see KafkaLink.send.
      const delivered = turn.then(() => deliver(events, signal));
      turn = delivered.catch(() => {});
      await delivered;
    },
    async [Symbol.asyncDispose]() {
      await turn;
      await link?.close();
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

/** A little more than the record takes. */
function sizeOf({ key, value, headers }: EncodedEvent): number {
  return Object.entries(headers).reduce(
    (sum, [name, value]) => sum + name.length + value.length + 10,
    key.length + value.length + 50,
  );
}
