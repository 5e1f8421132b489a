/** Closed accounts at the end of the retention period of their store. */
import type { Instant } from "./clock.ts";
import type { Sql, Tx } from "./connect.ts";
import type { CustomerKey } from "./lookups.ts";
import type { ReadSql } from "./store_reader.ts";

export interface RetentionStore {
  storeId: string;
  /** Days for which the store keeps closed accounts. */
  days: number;
}

/** @param sql a pool of customer_worker */
export async function listRetentionStores(sql: Sql): Promise<RetentionStore[]> {
  return await sql<RetentionStore[]>`select * from lookup_retention_stores()`;
}

export interface ClosedAccount {
  customerId: string;
  closedAt: Date;
  /** `closedAt` with microseconds, by which pages continue. */
  position: string;
}

/**
 * Returns accounts that were closed until a time, the earliest first, without those that are held, that have an open
 * erasure, or whose erasure at the end of the retention period was opened before.
 *
 * @param after the last account of the previous page
 */
export async function findClosedAccounts(
  sql: ReadSql,
  storeId: string,
  { until, limit, after }: { until: Date; limit: number; after?: ClosedAccount | undefined },
): Promise<ClosedAccount[]> {
  return await sql<ClosedAccount[]>`
    select customer_id, closed_at, closed_at::text as position from customers c
    where store_id = ${storeId} and closed_at is not null and anonymized_at is null
      and retention_announced_at is null and holds = 0 and closed_at <= ${until}
      ${
    after
      ? sql`and (closed_at, customer_id) > (${after.position}::text::timestamptz, ${after.customerId}::uuid)`
      : sql``
  }
      and not exists (
        select from gdpr_requests r
        where r.store_id = c.store_id and r.customer_id = c.customer_id and r.type = 'ERASURE'
          and r.status <> 'COMPLETED')
    order by closed_at, customer_id limit ${limit}`;
}

/** Stores since when an account is closed; null: it is open again. The customer must be locked. */
export async function storeClosing(
  tx: Tx,
  { storeId, customerId }: CustomerKey,
  closedAt: Date | null,
): Promise<void> {
  await tx`
    update customers set closed_at = ${closedAt}, retention_announced_at = null
    where store_id = ${storeId} and customer_id = ${customerId}`;
}

/** Stores that the erasure of a closed account was opened. The customer must be locked. */
export async function storeAnnouncement(
  tx: Tx,
  { storeId, customerId }: CustomerKey,
  at: Date,
): Promise<void> {
  await tx`
    update customers set retention_announced_at = ${at}
    where store_id = ${storeId} and customer_id = ${customerId}`;
}

/**
 * Claims the next batch of the sweep for one replica.
 *
 * @param until when another replica may claim it if this one dies
 */
export async function claimSweep(sql: Sql, until: Instant): Promise<boolean> {
  const rows = await sql`
    insert into retention_sweep as s (next_at)
    select ${until} where not exists (select from retention_sweep where next_at > now())
    on conflict (only_row) do update set next_at = excluded.next_at where s.next_at <= now()
    returning 1`;
  return rows.length > 0;
}

export async function scheduleSweep(sql: Sql, nextAt: Instant): Promise<void> {
  await sql`update retention_sweep set next_at = ${nextAt}`;
}
