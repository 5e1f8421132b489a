/** Stored counts of the rate limits. */
import { lastOfBatch } from "./_expiry.ts";
import type { Instant } from "./clock.ts";
import type { Sql, Tx } from "./connect.ts";

/** Deletes a batch of about `limit` counts of windows that have passed. Returns their number. */
export async function deleteExpiredCounts(sql: Sql | Tx, now: Instant, limit: number): Promise<number> {
  const isExpired = sql`expires < extract(epoch from ${now}::timestamptz) * 1000`;
  const batch = { table: "rate_limits", column: "expires", isExpired };
  const { count } = await sql`delete from rate_limits where expires <= ${lastOfBatch(sql, batch, limit)}`;
  return count;
}
