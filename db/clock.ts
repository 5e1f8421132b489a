/**
 * PostgreSQL's clock. It alone decides what is due, claimed or expired, and dates the journal: the clocks of replicas
 * differ, and one of them may be wrong by days.
 */
import type postgres from "postgres";
import type { ReadSql } from "./store_reader.ts";

/** Clock that replaces PostgreSQL's. Only tests have one. */
export type FixedClock = () => Date;

/** An instant as a parameter of a statement: a date, or an expression that PostgreSQL evaluates. */
export type Instant = Date | postgres.PendingQuery<postgres.Row[]>;

/**
 * The start of the statement's transaction, plus `afterMs`, in whole milliseconds: it survives the way to a `Date` and
 * back, so that a claim is found again by its end.
 */
export function instant(sql: ReadSql, clock?: FixedClock, afterMs = 0): Instant {
  if (clock) return new Date(clock().getTime() + afterMs);
  return sql`date_trunc('milliseconds', now() + ${afterMs}::float8 * interval '1 millisecond')`;
}

/** Reads the time. Sent together with a statement that locks a row, it returns the time after the lock was granted. */
export async function readClock(sql: ReadSql, clock?: FixedClock): Promise<Date> {
  if (clock) return clock();
  const [row] = await sql<[{ now: Date }]>`select clock_timestamp() as now`;
  return row.now;
}
