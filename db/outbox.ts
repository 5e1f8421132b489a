/** The outbox: events that wait to be published, in the order in which they happened. */
import type { Tx } from "./connect.ts";

/** An event on its way out. */
export interface OutboxRow {
  storeId: string;
  eventId: string;
  topic: string;
  /** The Kafka key: events of one key are published in the order in which they were inserted. */
  key: string;
  /** The message in protobuf's canonical JSON. */
  payload: Record<string, unknown>;
  /** CloudEvents attributes in Kafka's binary form (`ce_id`, `ce_type`, …). */
  headers: Record<string, string>;
  createdAt: Date;
}

/** Rows of one key must be inserted under a lock of what the key names, so that seq tells their order. */
export async function insertOutbox(tx: Tx, rows: readonly OutboxRow[]): Promise<void> {
  await tx`
    insert into outbox ${
    tx(rows.map((row) => ({
      store_id: row.storeId,
      event_id: row.eventId,
      topic: row.topic,
      key: row.key,
      payload: tx.json(row.payload as never),
      headers: tx.json(row.headers),
      created_at: row.createdAt,
    })))
  }`;
}
