/** Fixture: outbox events as the actors' runtime writes them. */
import { enterStore, type Sql } from "../../db/connect.ts";
import { insertOutbox, type OutboxRow } from "../../db/outbox.ts";

/** Events of a customer: its creation, then updates. */
export function eventsOf(storeId: string, customerId: string, count: number): OutboxRow[] {
  return Array.from(
    { length: count },
    (_, at) =>
      at === 0
        ? event("customer.created", storeId, customerId)
        : event("customer.updated", storeId, customerId, { changedFields: ["first_name", "phone"] }),
  );
}

export function event(
  topic: string,
  storeId: string,
  key: string,
  fields: Record<string, unknown> = {},
): OutboxRow {
  const eventId = crypto.randomUUID();
  const createdAt = new Date();
  const occurredAt = createdAt.toISOString();
  return {
    storeId,
    eventId,
    topic,
    key,
    payload: {
      eventId,
      storeId,
      customerId: key,
      occurredAt,
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      ...fields,
    },
    headers: {
      ce_id: eventId,
      ce_time: occurredAt,
      ce_subject: key,
    },
    createdAt,
  };
}

/** Inserts one transaction per thousand rows of a store. */
export async function insertEvents(api: Sql, rows: readonly OutboxRow[]): Promise<void> {
  for (let at = 0; at < rows.length; at += 1_000) {
    const some = rows.slice(at, at + 1_000);
    await api.begin(async (tx) => {
      await enterStore(tx, some[0]!.storeId);
      await insertOutbox(tx, some);
    });
  }
}

/** Interleaves the lists, so that the events of many customers alternate. */
export function interleave<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat();
}

/** @param sql a pool that sees the rows of every store */
export async function countUnpublished(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from outbox where published_at is null`;
  return row!.count;
}
