/** Instrumentation of publishing: spans of batches, and a span of each event in its own trace. */
import type { OutboxRow } from "../db/outbox.ts";
import type { PublishRefusal } from "./sink.ts";
import { integer } from "../telemetry/integer.ts";
import { serverAttributes } from "../telemetry/server_address.ts";
import { record } from "../telemetry/metrics.ts";
import { activeTraceparent, addSpan, inSpan, isTracing, SpanKind } from "../telemetry/spans.ts";

/** Maximum number of links of a span. */
const MAX_LINKS = 100;

/** Attributes that the messaging conventions require of every span. */
const PUBLISHING = { "messaging.system": "kafka", "messaging.operation.type": "send" };

/** Runs a batch in a new trace, which is linked with the traces of its events. */
export async function traceBatch<T>(
  rows: readonly OutboxRow[],
  publish: () => Promise<T>,
): Promise<T> {
  const settings = isTracing
    ? {
      attributes: {
        ...PUBLISHING,
        "messaging.operation.name": "publish",
        "messaging.batch.message_count": integer(rows.length),
      },
      links: [...new Set(rows.flatMap(({ headers }) => headers.traceparent ?? []))].slice(0, MAX_LINKS),
    }
    : {};
  return await inSpan("publish outbox", settings, publish);
}

/** Counts failed attempts by topic. */
export function recordRefused(refusals: readonly PublishRefusal[]): void {
  for (const topic of new Set(refusals.map(({ topic }) => topic))) {
    record("customer_service.outbox.failures", 1, { "messaging.destination.name": topic });
  }
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
      ...PUBLISHING,
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
  { topic, messages, broker = "" }: { topic: string; messages: number; broker: string | undefined },
  send: () => Promise<T>,
): Promise<T> {
  if (!isTracing) return await send();
  const attributes = {
    ...PUBLISHING,
    "messaging.operation.name": "send",
    "messaging.batch.message_count": integer(messages),
    "messaging.destination.name": topic,
    ...serverAttributes(broker),
  };
  return await inSpan(`send ${topic}`, { kind: SpanKind.CLIENT, attributes }, send);
}
