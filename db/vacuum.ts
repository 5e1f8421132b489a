/**
 * VACUUM after erasures: erased values survive in dead tuples and in statistics until PostgreSQL processes the tables,
 * and in pages of indexes until these are built again.
 */
import type { Sql } from "./connect.ts";
import { FREE_TEXT, PERSONAL_DATA } from "./personal_data.ts";

/** Tables that an erasure changes: those of the map, those with free text, exports, and notices with sealed recipients. */
export const CHANGED_TABLES: readonly string[] = [
  ...new Set([
    ...Object.keys(PERSONAL_DATA),
    ...Object.keys(FREE_TEXT),
    ...["gdpr_export_parts", "gdpr_exports", "gdpr_notices"],
  ]),
];

/**
 * Runs vacuum and analyze on the tables that an erasure changes, if one has erased data or was verified since they were
 * last clean. They are clean once no dead tuple is left: an older snapshot, such as that of a dump, keeps VACUUM from
 * removing them. It blocks no reader or writer. PostgreSQL 16 allows only the owner to do so and skips the tables with
 * a warning: there autovacuum runs on its own schedule.
 *
 * @param sql a pool of customer_worker
 * @returns whether it ran; the next call may have to run again
 */
export async function vacuumAfterErasures(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ latest: string | null; due: boolean }[]>`
    select latest::text, coalesce(latest > (select clean_until from erasure_cleanup), latest is not null) as due
    from (select greatest(lookup_newest_erasure(), (
      select max(finished_at) from effects where type = 'erasure.verify' and state = 'DONE'
    )) as latest) as newest`;
  if (!row?.due || row.latest === null) return false;
  await sql`vacuum (analyze, skip_locked) ${list(sql)}`;
  await sql`
    insert into erasure_cleanup (clean_until)
    select ${row.latest}::timestamptz where not exists (
      select from pg_stat_user_tables
      where schemaname = 'public' and relname = any(${[...CHANGED_TABLES]})
        and (n_dead_tup > 0
          or greatest(last_vacuum, last_autovacuum, '-infinity') < ${row.latest}::timestamptz)
    )
    on conflict (only_row) do update set clean_until = excluded.clean_until`;
  return true;
}

function list(sql: Sql) {
  return CHANGED_TABLES.map((table) => sql`${sql(table)}`).reduce((tables, table) =>
    sql`${tables}, ${table}`
  );
}

/**
 * Builds the indexes of the tables again and vacuums the tables. REINDEX CONCURRENTLY blocks no reader or writer.
 *
 * @param sql a pool of customer_owner
 * @param options `full`: VACUUM FULL, which writes each table again and blocks all access to it meanwhile
 */
export async function scrubTables(
  sql: Sql,
  { full }: { full: boolean },
  report: (step: string) => void,
): Promise<void> {
  for (const [index, table] of CHANGED_TABLES.entries()) {
    const place = `${index + 1} of ${CHANGED_TABLES.length}: ${table}`;
    report(`${place}: building its indexes`);
    await sql`reindex (concurrently) table ${sql(table)}`;
    report(`${place}: ${full ? "writing it again" : "vacuuming"}`);
    if (full) await sql`vacuum (full, analyze) ${sql(table)}`;
    else await sql`vacuum (analyze) ${sql(table)}`;
  }
}
