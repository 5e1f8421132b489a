/** Facts about a customer without personal values. */
import type { CustomerRow } from "./customers.ts";
import type { ReadSql } from "./store_reader.ts";

export interface CustomerFacts
  extends Pick<CustomerRow, "status" | "version" | "membershipVersion" | "anonymizedAt"> {
  /** Number of events in the journal. */
  events: number;
  createdAt: Date;
  updatedAt: Date;
  /** Number of rows in the address book, emptied ones included. */
  addresses: number;
  /** Since when the account is closed; null while it is not. */
  closedAt: Date | null;
  /** When the erasure at the end of the retention period was opened; null before. */
  retentionAnnouncedAt: Date | null;
  /** Number of legal holds in effect. */
  holds: number;
  /** Request that erased the customer; null without one. */
  erasedBy: string | null;
}

/** Returns undefined where the store has no such customer. */
export async function findCustomerFacts(
  sql: ReadSql,
  storeId: string,
  customerId: string,
): Promise<CustomerFacts | undefined> {
  const [row] = await sql<CustomerFacts[]>`
    select status, version, membership_version, version + membership_version - 1 as events, anonymized_at, created_at, updated_at, closed_at,
      retention_announced_at, holds,
      (select count(*)::int from customer_addresses a
       where a.store_id = c.store_id and a.customer_id = c.customer_id) as addresses,
      (select r.request_id from gdpr_requests r
       where r.store_id = c.store_id and r.customer_id = c.customer_id and r.cleared is not null
       order by r.created_at desc limit 1) as erased_by
    from customers c where store_id = ${storeId} and customer_id = ${customerId}`;
  return row;
}

/**
 * Returns a string that changes with the facts of a customer or of one of its requests; empty for an unknown
 * customer.
 */
export async function findCustomerFingerprint(
  sql: ReadSql,
  storeId: string,
  customerId: string,
): Promise<string> {
  const [row] = await sql<{ fingerprint: string }[]>`
    select version || ' ' || membership_version || ' ' || coalesce((
      select string_agg(request_id || ':' || r.version, ' ' order by request_id) from gdpr_requests r
      where r.store_id = c.store_id and r.customer_id = c.customer_id), '') as fingerprint
    from customers c where store_id = ${storeId} and customer_id = ${customerId}`;
  return row?.fingerprint ?? "";
}
