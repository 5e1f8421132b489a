/** Encodes outbox rows as Kafka messages, in the binary mode of CloudEvents' Kafka binding. */
import { fromJson, type JsonValue, toBinary, toJsonString } from "@bufbuild/protobuf";
import type { OutboxRow } from "../db/outbox.ts";
import type { PublishRefusal } from "./sink.ts";
import { eventType, messageKey, TOPICS } from "./topics.ts";

export interface EventSettings {
  format: "protobuf" | "json";
  /** CloudEvents' `source`, a URI reference: it identifies this deployment. */
  source: string;
}

export interface EncodedEvent {
  row: OutboxRow;
  topic: string;
  key: string;
  value: Uint8Array;
  headers: Record<string, string>;
}

const CONTENT_TYPES: Record<EventSettings["format"], string> = {
  protobuf: "application/protobuf",
  json: "application/json",
};

/** Encodes rows in their order. A row that cannot be encoded refuses the later rows of its topic and key as well. */
export function encodeRows(
  rows: readonly OutboxRow[],
  settings: EventSettings,
): { events: EncodedEvent[]; refusals: PublishRefusal[] } {
  const events: EncodedEvent[] = [];
  const refusals = new Map<string, PublishRefusal & { rows: OutboxRow[] }>();
  for (const row of rows) {
    const { topic } = row;
    const place = `${topic} ${row.key}`;
    const encoded = refusals.get(place) ?? encode(row, settings);
    if (typeof encoded === "string") {
      refusals.set(place, { topic, rows: [row], scope: "row", reason: encoded });
    } else if ("reason" in encoded) encoded.rows.push(row);
    else events.push(encoded);
  }
  return { events, refusals: [...refusals.values()] };
}

/** Returns the reason as text if the row cannot be encoded. */
function encode(row: OutboxRow, { format, source }: EventSettings): EncodedEvent | string {
  const { topic } = row;
  const schema = TOPICS.get(topic);
  if (!schema) return `this version does not know the topic ${topic}`;
  const message = parse(schema, row);
  if (!message) return `its payload is not a ${schema.typeName}`;
  const value = format === "json"
    ? new TextEncoder().encode(toJsonString(schema, message))
    : toBinary(schema, message);
  const headers = {
    ...row.headers,
    ce_specversion: "1.0",
    ce_type: eventType(topic, schema),
    ce_source: source,
    "content-type": CONTENT_TYPES[format],
  };
  return { row, topic, key: messageKey(row), value, headers };
}

function parse(schema: NonNullable<ReturnType<typeof TOPICS.get>>, { payload }: OutboxRow) {
  try {
    // Strict, because unknown fields would be lost.
    return fromJson(schema, payload as JsonValue);
  } catch { // the parser's message quotes values
    return undefined;
  }
}
