/**
 * Deletion of records whose retention period has passed: completed requests, ended legal holds and journals of customers,
 * of every store. A store without a period of its own has the default. Records of a customer with a legal hold in effect
 * stay. Every function needs the role customer_worker.
 */
import { DEFAULT_PERIODS } from "../domain/retention.ts";
import type { Sql, Tx } from "./connect.ts";

/** Deletes up to `limit` requests, with all that belongs to them. Returns the number of requests. */
export async function deleteEndedRequests(sql: Sql | Tx, limit: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select delete_ended_requests(${DEFAULT_PERIODS.requests}::integer, ${limit}::integer) as count`;
  return row?.count ?? 0;
}

/** Deletes up to `limit` holds. Returns their number. */
export async function deleteEndedHolds(sql: Sql | Tx, limit: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select delete_ended_holds(${DEFAULT_PERIODS.holds}::integer, ${limit}::integer) as count`;
  return row?.count ?? 0;
}

/** Deletes up to `limit` events of journals of customers. Returns their number. */
export async function deleteEndedJournals(sql: Sql | Tx, limit: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select delete_ended_journals(${DEFAULT_PERIODS.journal}::integer, ${limit}::integer) as count`;
  return row?.count ?? 0;
}

/** Number of rows of a store whose period has passed. */
export interface EndedRows {
  storeId: string;
  requests: bigint;
  notices: bigint;
  requestEvents: bigint;
  holds: bigint;
  customerEvents: bigint;
}

/** Returns the number of rows that the functions above would delete now, by store. */
export async function countEndedRows(sql: Sql): Promise<EndedRows[]> {
  const { requests, journal, holds } = DEFAULT_PERIODS;
  return await sql<EndedRows[]>`
    select * from count_ended_rows(${requests}::integer, ${journal}::integer, ${holds}::integer) order by store_id`;
}
