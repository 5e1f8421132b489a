/** Encodes outbox rows as Kafka messages, in the binary mode of CloudEvents' Kafka binding. */
import { fromJson, type JsonValue, toBinary, toJsonString } from "@bufbuild/protobuf";
import type { OutboxRow } from "../db/outbox.ts";
import { UnpublishableError } from "./sink.ts";
import { TOPICS } from "./topics.ts";

export type EventFormat = "protobuf" | "json";

export interface EncodedEvent {
  topic: string;
  key: string;
  value: Uint8Array;
  headers: Record<string, string>;
}

const CONTENT_TYPES: Record<EventFormat, string> = {
  protobuf: "application/protobuf",
  json: "application/json",
};

/** @throws {UnpublishableError} naming every row that cannot be encoded */
export function encodeRows(rows: readonly OutboxRow[], format: EventFormat): EncodedEvent[] {
  const reasons = new Map<string, string>();
  const events = rows.flatMap((row) => {
    try {
      return [encode(row, format)];
    } catch (error) {
      if (!(error instanceof NotEncodable)) throw error;
      reasons.set(row.eventId, error.message);
      return [];
    }
  });
  if (reasons.size > 0) throw new UnpublishableError(reasons);
  return events;
}

class NotEncodable extends Error {}

function encode(row: OutboxRow, format: EventFormat): EncodedEvent {
  const schema = TOPICS.get(row.topic);
  if (!schema) throw new NotEncodable(`this version does not know the topic ${row.topic}`);
  const message = parse();
  const value = format === "json"
    ? new TextEncoder().encode(toJsonString(schema, message))
    : toBinary(schema, message);
  const headers = { ce_specversion: "1.0", ...row.headers, "content-type": CONTENT_TYPES[format] };
  return { topic: row.topic, key: row.key, value, headers };

  function parse() {
    try {
      // Strict, because unknown fields would be lost.
      return fromJson(schema!, row.payload as JsonValue);
    } catch {
      // The parser's message quotes values.
      throw new NotEncodable(`its payload is not a ${schema!.typeName}`);
    }
  }
}
