/** Lock of the steps of housekeeping: one replica at a time runs a step. */
import type { Sql, Tx } from "./connect.ts";

/** First of the two numbers of a step's advisory lock: "hous" in ASCII. */
const HOUSEKEEPING_LOCKS = 0x686f7573;

/**
 * Runs a batch of a step in a transaction, unless another replica runs one of the same step.
 *
 * @returns the number of rows of the batch; 0 if another replica runs one
 */
export async function runAlone(
  sql: Sql,
  step: number,
  batch: (tx: Tx) => Promise<number>,
): Promise<number> {
  return await sql.begin(async (tx) => {
    const [lock] = await tx<{ isFree: boolean }[]>`
      select pg_try_advisory_xact_lock(${HOUSEKEEPING_LOCKS}::int, ${step}::int) as is_free`;
    return lock?.isFree ? await batch(tx) : 0;
  }) as number;
}
