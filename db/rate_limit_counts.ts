/** Stored counts of the rate limits. */
import type { Instant } from "./clock.ts";
import type { Sql, Tx } from "./connect.ts";

/** Deletes up to `limit` counts of windows that have passed. Returns their number. */
export async function deleteExpiredCounts(sql: Sql | Tx, now: Instant, limit: number): Promise<number> {
  const isExpired = sql`expires < extract(epoch from ${now}::timestamptz) * 1000`;
  const { count } = await sql`
    delete from rate_limits where (store_id, key) in (
      select store_id, key from rate_limits where ${isExpired} order by expires limit ${limit})
    and ${isExpired}`; // a new window may have begun
  return count;
}
