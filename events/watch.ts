/** What telemetry sees of events on their way out: batches, and each event in the trace that it comes from. */
import type { OutboxRow } from "../db/outbox.ts";
import { record } from "../telemetry/metrics.ts";
import { activeTraceparent, addSpan, inSpan, SpanKind, tracing } from "../telemetry/spans.ts";

/** So many links a span may have. */
const MAX_LINKS = 100;

/** A batch is nobody's alone, so it has a trace of its own, linked with those of its events. */
export async function watchBatch<T>(
  rows: readonly OutboxRow[],
  publish: () => Promise<T>,
): Promise<T> {
  const settings = tracing
    ? {
      attributes: {
        "messaging.operation.name": "publish",
        "messaging.batch.message_count": rows.length,
      },
      links: [...new Set(rows.flatMap(({ headers }) => headers.traceparent ?? []))].slice(0, MAX_LINKS),
    }
    : {};
  return await inSpan("publish outbox", settings, async () => {
    try {
      return await publish();
    } catch (error) {
      record("customer_service.outbox.failures", 1);
      throw error;
    }
  });
}

/** Counts what has been published, and adds it to the trace of what has caused it. */
export function tellPublished(rows: readonly OutboxRow[], began: Date): void {
  for (const [topic, { length }] of Map.groupBy(rows, (row) => row.topic)) {
    record("customer_service.outbox.published", length, { "messaging.destination.name": topic });
  }
  const batch = activeTraceparent();
  if (batch === undefined) return;
  for (const { topic, eventId, headers } of rows) {
    const attributes = {
      "messaging.operation.name": "publish",
      "messaging.destination.name": topic,
      "messaging.message.id": eventId,
    };
    const parent = headers.traceparent;
    if (parent === undefined) continue; // a version before this one has written it
    addSpan(`publish ${topic}`, { kind: SpanKind.PRODUCER, attributes, parent, links: [batch] }, began);
  }
}

/** One request to Kafka. */
export async function watchSend<T>(
  topics: readonly string[],
  messages: number,
  send: () => Promise<T>,
): Promise<T> {
  if (!tracing) return await send();
  const [topic, ...others] = topics;
  const one = topic !== undefined && others.length === 0 ? topic : undefined;
  const attributes = {
    "messaging.system": "kafka",
    "messaging.operation.name": "send",
    "messaging.operation.type": "send",
    "messaging.batch.message_count": messages,
    ...(one === undefined ? {} : { "messaging.destination.name": one }),
  };
  const name = one === undefined ? "send" : `send ${one}`;
  return await inSpan(name, { kind: SpanKind.CLIENT, attributes }, send);
}
