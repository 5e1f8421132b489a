/** What an erasure has emptied stands in dead row versions and in statistics until PostgreSQL has gone over its tables. */
import type { Sql } from "./connect.ts";

/**
 * Asks for vacuum and analyze of the tables with personal data when an erasure was verified since their last one. It locks
 * nobody out. PostgreSQL 16 lets only the owner do that and skips the tables with a warning: there autovacuum comes in
 * its own time.
 *
 * @param sql a pool of customer_worker
 * @returns whether it was asked for
 */
export async function vacuumAfterErasures(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ due: boolean }[]>`
    select exists (
      select from effects where type = 'erasure.verify' and state = 'DONE' and finished_at > coalesce((
        select min(greatest(last_vacuum, last_autovacuum)) from pg_stat_user_tables
        where relname in ('customers', 'customer_addresses')
        having count(greatest(last_vacuum, last_autovacuum)) = 2
      ), '-infinity')
    ) as due`;
  if (!row?.due) return false;
  await sql`vacuum (analyze, skip_locked) customers, customer_addresses`;
  return true;
}
