/** Rows of the legal holds on customers. */
import type { HoldGround } from "../domain/holds.ts";
import type { Tx } from "./connect.ts";
import type { CustomerKey } from "./lookups.ts";
import type { ReadSql } from "./store_reader.ts";

export interface HoldRow {
  holdId: string;
  ground: HoldGround;
  /** When the hold ends by itself; null: it stays until it is lifted. */
  until: Date | null;
  placedAt: Date;
  placedBy: string;
  /** Null for staff. */
  placedByService: string | null;
  /** Sequence of the customer's event that has placed the hold. */
  placedSequence: number;
  /** Null while the hold is in effect. */
  endedAt: Date | null;
  /** Null while the hold is in effect, and for a hold whose time has passed. */
  liftedBy: string | null;
  liftedByService: string | null;
}

/** A hold with the note of staff, which the journal has and the erasure removes. */
export interface NotedHold extends HoldRow {
  note: string | null;
}

/** Inserts a hold and counts it. The customer must be locked. */
export async function insertHold(
  tx: Tx,
  { storeId, customerId }: CustomerKey,
  hold: Omit<HoldRow, "endedAt" | "liftedBy" | "liftedByService">,
): Promise<void> {
  await tx`insert into customer_holds ${tx({ ...hold, storeId, customerId })}`;
  await countHolds(tx, { storeId, customerId });
}

/**
 * Ends a hold in effect and counts the others. Does nothing if it has ended. The customer must be locked.
 *
 * @param lifted absent: the time of the hold has passed
 */
export async function endHold(
  tx: Tx,
  { storeId, customerId }: CustomerKey,
  { holdId, endedAt, lifted }: {
    holdId: string;
    endedAt: Date;
    lifted?: { liftedBy: string; liftedByService: string | null } | undefined;
  },
): Promise<void> {
  await tx`
    update customer_holds set ${tx({ endedAt, ...lifted })}
    where store_id = ${storeId} and customer_id = ${customerId} and hold_id = ${holdId} and ended_at is null`;
  await countHolds(tx, { storeId, customerId });
}

async function countHolds(tx: Tx, { storeId, customerId }: CustomerKey): Promise<void> {
  await tx`
    update customers set holds = (
      select count(*) from customer_holds h
      where h.store_id = ${storeId} and h.customer_id = ${customerId} and h.ended_at is null)
    where store_id = ${storeId} and customer_id = ${customerId}`;
}

/** Returns a hold of a customer, which may have ended. */
export async function findHold(
  sql: ReadSql,
  { storeId, customerId }: CustomerKey,
  holdId: string,
): Promise<NotedHold | undefined> {
  const [hold] = await sql<NotedHold[]>`
    select ${columns(sql)} from ${withNotes(sql)}
    where h.store_id = ${storeId} and h.customer_id = ${customerId} and h.hold_id = ${holdId}`;
  return hold;
}

/** Returns the holds in effect, newest first. */
export async function findHoldsInEffect(
  sql: ReadSql,
  { storeId, customerId }: CustomerKey,
): Promise<NotedHold[]> {
  return await sql<NotedHold[]>`
    select ${columns(sql)} from ${withNotes(sql)}
    where h.store_id = ${storeId} and h.customer_id = ${customerId} and h.ended_at is null
    order by h.placed_sequence desc`;
}

/**
 * Returns the holds of a customer, newest first, those that have ended included.
 *
 * @param before `placedSequence` of the last hold of the previous page
 */
export async function listHolds(
  sql: ReadSql,
  { storeId, customerId }: CustomerKey,
  { limit, before }: { limit: number; before?: number | undefined },
): Promise<NotedHold[]> {
  return await sql<NotedHold[]>`
    select ${columns(sql)} from ${withNotes(sql)}
    where h.store_id = ${storeId} and h.customer_id = ${customerId}
      ${before === undefined ? sql`` : sql`and h.placed_sequence < ${before}`}
    order by h.placed_sequence desc limit ${limit}`;
}

const columns = (sql: ReadSql) =>
  sql`h.hold_id, h.ground, h.until, h.placed_at, h.placed_by, h.placed_by_service, h.placed_sequence, h.ended_at,
    h.lifted_by, h.lifted_by_service, e.note`;

const withNotes = (sql: ReadSql) =>
  sql`customer_holds h left join actor_events e on e.store_id = h.store_id and e.actor_kind = 'customer'
    and e.actor_id = h.customer_id and e.sequence = h.placed_sequence`;
