/**
 * VACUUM after erasures: erased values survive in dead tuples and in statistics until PostgreSQL processes
 * the tables.
 */
import type { Sql } from "./connect.ts";

/**
 * Runs vacuum and analyze on the tables with personal data if an erasure was verified since their last run.
 * It blocks no reader or writer. PostgreSQL 16 allows only the owner to do so and skips the tables with a
 * warning: there autovacuum runs on its own schedule.
 *
 * @param sql a pool of customer_worker
 * @returns whether it ran
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
