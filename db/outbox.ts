/** Outbox: events that wait to be published, in the order in which they happened. */
import { lastOfBatch } from "./_expiry.ts";
import type { Sql, Tx } from "./connect.ts";
import { ReadOnlyServer } from "./errors.ts";

/** Event to publish. */
export interface OutboxRow {
  storeId: string;
  eventId: string;
  topic: string;
  /** Kafka key: events of one key are published in the order in which they were inserted. */
  key: string;
  /** The message in protobuf's canonical JSON. */
  payload: Record<string, unknown>;
  /** CloudEvents attributes in Kafka's binary form (`ce_id`, `ce_type`, …). */
  headers: Record<string, string>;
  createdAt: Date;
}

/** Waiting row; `seq` is a bigint in decimal digits. */
export interface UnpublishedRow extends OutboxRow {
  seq: string;
}

/** The sixteen shards over which the table's generated column spreads the keys. */
const LAST_SHARD = 15;
/** First of the two numbers of an advisory lock: "outb" in ASCII for a shard, "outs" for a store. */
const [SHARD_LOCKS, STORE_LOCKS] = [0x6f757462, 0x6f757473];

/** Rows of one actor must be inserted under its lock, so that seq is their order. Several actors may share a key. */
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

/**
 * Runs a transaction over the outbox of all stores.
 *
 * @param sql a pool of the role customer_worker
 */
export async function relayOutbox<T>(sql: Sql, relay: (tx: Tx) => Promise<T>): Promise<T> {
  return await sql.begin(relay) as T;
}

/**
 * Sets the idle timeout of the transaction, so that PostgreSQL ends it and its claim if its process is frozen
 * or disconnected.
 */
export async function limitIdle(tx: Tx, limitMs: number): Promise<void> {
  await tx`select set_config('idle_in_transaction_session_timeout', ${String(limitMs)}, true)`;
}

/** Selection of waiting rows. */
export interface Selection {
  topics: readonly string[];
  /** `<topic> <key>` of the rows to skip. */
  heldKeys: readonly string[];
}

/** Part of the outbox from which one relay at a time publishes: a shard of all stores, or a store. */
export type Part = { shard: number } | { storeId: string };

/** Part that a transaction has locked. */
export interface ClaimedPart<Of extends Part = Part> {
  part: Of;
  /** Number of parts that have rows to publish. */
  waiting: number;
}

/**
 * Locks one shard that has rows to publish until the transaction ends, so that no other relay publishes from
 * it. Only customer_worker sees the rows of every store.
 *
 * @returns undefined when no row waits or other relays hold all shards; `waiting` counts this shard as well
 * @throws {ReadOnlyServer} the rows could be read and published, but not marked
 */
export async function claimShard(
  tx: Tx,
  selection: Selection,
): Promise<ClaimedPart<{ shard: number }> | undefined> {
  // Materialized, so that the lock is tried shard by shard and the first free one ends the search.
  const [claimed] = await tx<{ shard: number; waiting: number; readOnly: boolean }[]>`
    with waiting as materialized (
      select candidates.shard
      from generate_series(0, ${LAST_SHARD}::int) as candidates (shard)
      where exists (
        select from unnest(${selection.topics as string[]}::text[]) as topics (topic) where exists (
          select from outbox
          where outbox.shard = candidates.shard and outbox.topic = topics.topic and ${waits(tx, selection)}
        )
      )
      order by random()
    )
    select shard, (select count(*)::int from waiting) as waiting, ${isReadOnly(tx)} as read_only
    from waiting
    where pg_try_advisory_xact_lock(${SHARD_LOCKS}::int, shard)
    limit 1`;
  if (!claimed) return undefined;
  refuseReadOnly(claimed);
  return { part: { shard: claimed.shard }, waiting: claimed.waiting };
}

/**
 * Locks a store until the transaction ends, so that no other relay publishes from it.
 *
 * @returns undefined if another relay holds it
 * @throws {ReadOnlyServer} as above
 */
export async function claimStore(tx: Tx, storeId: string): Promise<ClaimedPart | undefined> {
  const [claimed] = await tx<{ isFree: boolean; readOnly: boolean }[]>`
    select pg_try_advisory_xact_lock(${STORE_LOCKS}::int, hashtext(${storeId})) as is_free,
      ${isReadOnly(tx)} as read_only`;
  if (!claimed?.isFree) return undefined;
  refuseReadOnly(claimed);
  return { part: { storeId }, waiting: 1 };
}

const isReadOnly = (tx: Tx) => tx`(pg_is_in_recovery() or current_setting('transaction_read_only') = 'on')`;

function refuseReadOnly({ readOnly }: { readOnly: boolean }): void {
  if (readOnly) throw new ReadOnlyServer("the server accepts no changes, so no event is published");
}

/**
 * Returns the oldest rows of a claimed part. A separate statement: it has to see what the last holder
 * committed. It reads each topic from its own place in the index, so that it does not read the rows of others.
 */
export async function findUnpublished(
  tx: Tx,
  part: Part,
  selection: Selection,
  limit: number,
): Promise<UnpublishedRow[]> {
  return await tx<UnpublishedRow[]>`
    select waiting.*
    from unnest(${selection.topics as string[]}::text[]) as topics (topic), lateral (
      select store_id, event_id, seq, outbox.topic, key, payload, headers, created_at
      from outbox
      where ${isIn(tx, part)} and outbox.topic = topics.topic and ${waits(tx, selection)}
      order by seq
      limit ${limit}
    ) as waiting
    order by seq
    limit ${limit}`;
}

const isIn = (tx: Tx, part: Part) =>
  "shard" in part ? tx`outbox.shard = ${part.shard}` : tx`outbox.store_id = ${part.storeId}`;

function waits(tx: Tx, { heldKeys }: Selection) {
  const exceptHeld = heldKeys.length === 0
    ? tx``
    : tx`and outbox.topic || ' ' || outbox.key <> all(${heldKeys as string[]}::text[])`;
  return tx`published_at is null ${exceptHeld}`;
}

/**
 * Marks each row by its seq and not up to the last one: a lower seq may have been committed in the meantime.
 */
export async function markPublished(
  tx: Tx,
  part: Part,
  rows: readonly UnpublishedRow[],
): Promise<void> {
  await tx`
    update outbox set published_at = statement_timestamp()
    where ${isIn(tx, part)} and published_at is null and seq = any(${rows.map((row) => row.seq)}::bigint[])`;
}

/** Deletes a batch of about `limit` events that were published longer ago than the retention. Returns their number. */
export async function deletePublished(sql: Sql | Tx, retentionMs: number, limit: number): Promise<number> {
  const isExpired = sql`published_at < now() - ${retentionMs}::float8 * interval '1 millisecond'`;
  const batch = { table: "outbox", column: "published_at", isExpired };
  const { count } = await sql`delete from outbox where published_at <= ${lastOfBatch(sql, batch, limit)}`;
  return count;
}
