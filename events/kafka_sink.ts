/** Kafka sink: one producer for each topic, which connects at its first event, and again after every failure. */
import { describeError } from "../lib/error_description.ts";
import { type EncodedEvent, encodeRows, type EventSettings } from "./encode.ts";
import type { KafkaSettings } from "./kafka_client.ts";
import type { KafkaProducer } from "./kafka_producer.ts";
import type { PublishRefusal, Sink } from "./sink.ts";
import { createTopicPreparation } from "./topic_settings.ts";

/** Sends the events of one topic. Returns the refusal of those that are not stored. */
type Deliver = (events: readonly EncodedEvent[], signal: AbortSignal) => Promise<PublishRefusal | undefined>;

export function kafkaSink(settings: KafkaSettings, event: EventSettings): Sink {
  const prepare = createTopicPreparation(settings);
  const topics = new Map<string, AsyncDisposable & { deliver: Deliver }>();

  function topicSink(topic: string) {
    const known = topics.get(topic);
    if (known) return known;
    const created = createTopicSink(topic, async () => {
      const { openKafkaProducer } = await import("./kafka_producer.ts"); // large, and not needed before an event
      return openKafkaProducer(topic, settings, prepare);
    });
    topics.set(topic, created);
    return created;
  }

  return {
    async publish(rows, signal) {
      const { events, refusals } = encodeRows(rows, event);
      const byTopic = Map.groupBy(events, ({ topic }) => topic);
      const refused = await Promise.all(
        [...byTopic].map(([topic, events]) => topicSink(topic).deliver(events, signal)),
      );
      return [...refusals, ...refused.filter((refusal) => refusal !== undefined)];
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...topics.values()].map((topic) => topic[Symbol.asyncDispose]()));
    },
  };
}

function createTopicSink(
  topic: string,
  open: () => Promise<KafkaProducer>,
): AsyncDisposable & { deliver: Deliver } {
  let producer: KafkaProducer | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const closing = new Set<Promise<void>>();

  async function send(
    events: readonly EncodedEvent[],
    onStored: (events: readonly EncodedEvent[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const current = producer ??= await open();
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {}); // it may reject after the race has ended
    const abort = () => {
      current.cut();
      aborted.reject(signal.reason);
    };
    signal.addEventListener("abort", abort);
    try {
      await Promise.race([current.send(events, onStored), aborted.promise]);
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
    async deliver(events, signal) {
      const waiting = new Set(events);
      const onStored = (stored: readonly EncodedEvent[]) => stored.forEach((event) => waiting.delete(event));
      // One at a time, retries included: see KafkaProducer.send.
      const sent = turn.then(() => send(events, onStored, signal));
      turn = sent.catch(() => {});
      try {
        await sent;
        return undefined;
      } catch (error) {
        const rows = [...waiting].map(({ row }) => row);
        return { topic, rows, scope: "topic", reason: describeError(error) };
      }
    },
    async [Symbol.asyncDispose]() {
      await turn;
      await producer?.close();
      await Promise.all(closing);
    },
  };
}
