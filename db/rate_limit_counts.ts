/** Stored counts of the rate limits. */
import type { Instant } from "./clock.ts";
import type { Sql } from "./connect.ts";

/** Deletes the counts of windows that have passed. */
export async function deleteExpiredCounts(sql: Sql, now: Instant): Promise<void> {
  await sql`delete from rate_limits where expires < extract(epoch from ${now}::timestamptz) * 1000`;
}
