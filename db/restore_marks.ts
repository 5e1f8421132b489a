/** Rows by which a restored database is recognized: positions in the erasure log, the marker, and decisions about them. */
import type { Sql, Tx } from "./connect.ts";

/**
 * Returns by partition the first offset that may be missing from the database.
 *
 * @param sql a pool of customer_worker, as for all functions of this file
 */
export async function findPositions(sql: Sql): Promise<Map<number, bigint>> {
  const rows = await sql<{ partition: number; nextOffset: string }[]>`
    select partition, next_offset::text as next_offset from erasure_log_positions`;
  return new Map(rows.map(({ partition, nextOffset }) => [partition, BigInt(nextOffset)]));
}

export async function storePositions(sql: Sql, positions: ReadonlyMap<number, bigint>): Promise<void> {
  for (const [partition, offset] of positions) {
    await sql`
      insert into erasure_log_positions (partition, next_offset) values (${partition}, ${
      String(offset)
    }::bigint)
      on conflict (partition) do update set next_offset = excluded.next_offset
        where erasure_log_positions.next_offset <> excluded.next_offset`;
  }
}

export interface Marker {
  /** Null: no file was written yet. */
  current: string | null;
  /** The marker that is being written to the file, or was written and is not confirmed. */
  next: string | null;
  /** Number of erasures in the memory when `current` was set. */
  erasures: number;
}

/** Runs a function that holds the lock of the marker, so that one replica at a time writes the file. */
export async function withMarker<Result>(
  sql: Sql,
  use: (marker: Marker, tx: Tx) => Promise<Result>,
): Promise<Result> {
  return await sql.begin(async (tx) => {
    await tx`insert into erasure_marker default values on conflict do nothing`;
    const [marker] = await tx<[Marker]>`
      select current, next, erasures::int as erasures from erasure_marker for update`;
    return await use(marker, tx);
  }) as Result;
}

export async function updateMarker(tx: Tx, { current, next, erasures }: Marker): Promise<void> {
  await tx`update erasure_marker set current = ${current}, next = ${next}, erasures = ${erasures}`;
}

export interface RestoreDecision {
  decision: "ACCEPTED" | "REPLAYED";
  reason: string;
  /** Number of erasures of the log that the database lacked. */
  missing: number;
}

export async function insertDecision(
  sql: Sql,
  { decision, reason, missing }: RestoreDecision,
): Promise<void> {
  await sql`
    insert into erasure_memory_decisions (decision, reason, missing) values (${decision}, ${reason}, ${missing})`;
}
