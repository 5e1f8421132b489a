/** Instrumentation of publishing: spans of batches, and a span of each event in its own trace. */
import type { OutboxRow } from "../db/outbox.ts";
import { record } from "../telemetry/metrics.ts";
import { activeTraceparent, addSpan, inSpan, SpanKind, tracing } from "../telemetry/spans.ts";

/** Maximum number of links of a span. */
const MAX_LINKS = 100;

/** Runs a batch in a new trace, which is linked with the traces of its events. */
export async function traceBatch<T>(
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

/** Counts published events and adds a span of each to its trace. */
export function recordPublished(rows: readonly OutboxRow[], startedAt: Date): void {
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
    if (parent === undefined) continue; // an earlier version has written the row
    addSpan(`publish ${topic}`, { kind: SpanKind.PRODUCER, attributes, parent, links: [batch] }, startedAt);
  }
}

/** Runs one produce request as a span. */
export async function traceSend<T>(
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
