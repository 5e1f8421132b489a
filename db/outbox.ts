/** Outbox: events that wait to be published, in the order in which they happened. */
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
/** First of the two numbers of a shard's advisory lock: "outb" in ASCII. */
const SHARD_LOCKS = 0x6f757462;

/** Rows of one key must be inserted under a lock of what the key names, so that seq is their order. */
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
): Promise<{ shard: number; waiting: number } | undefined> {
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
    select shard, (select count(*)::int from waiting) as waiting,
      pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as read_only
    from waiting
    where pg_try_advisory_xact_lock(${SHARD_LOCKS}::int, shard)
    limit 1`;
  if (claimed?.readOnly) throw new ReadOnlyServer("the server accepts no changes, so no event is published");
  return claimed;
}

/**
 * Returns the oldest rows of a claimed shard. A separate statement: it has to see what the last holder
 * committed. It reads each topic from its own place in the index, so that it does not read the rows of others.
 */
export async function findUnpublished(
  tx: Tx,
  shard: number,
  selection: Selection,
  limit: number,
): Promise<UnpublishedRow[]> {
  return await tx<UnpublishedRow[]>`
    select waiting.*
    from unnest(${selection.topics as string[]}::text[]) as topics (topic), lateral (
      select store_id, event_id, seq, outbox.topic, key, payload, headers, created_at
      from outbox
      where shard = ${shard} and outbox.topic = topics.topic and ${waits(tx, selection)}
      order by seq
      limit ${limit}
    ) as waiting
    order by seq
    limit ${limit}`;
}

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
  shard: number,
  rows: readonly UnpublishedRow[],
): Promise<void> {
  await tx`
    update outbox set published_at = clock_timestamp()
    where shard = ${shard} and published_at is null and seq = any(${rows.map((row) => row.seq)}::bigint[])`;
}

/** Deletes up to `limit` events that were published longer ago than the retention, the oldest first. Returns their number. */
export async function deletePublished(sql: Sql | Tx, retentionMs: number, limit: number): Promise<number> {
  const { count } = await sql`
    delete from outbox where (store_id, event_id) in (
      select store_id, event_id from outbox
      where published_at < now() - ${retentionMs}::float8 * interval '1 millisecond'
      order by published_at
      limit ${limit}
      for update skip locked
    )`;
  return count;
}
