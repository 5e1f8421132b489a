/** A transaction in one store: begun again when PostgreSQL has ended it for another one's sake, and not waited for without end. */
import { enterStore, type Sql, type Tx } from "../../db/connect.ts";
import { isSerializationFailure, Overloaded } from "../../db/errors.ts";
import { inTime } from "../../db/time_limit.ts";
import { instrumentSql } from "../../telemetry/sql.ts";
import { DomainError } from "../../domain/errors.ts";

const TRIES = 3;
export const ANSWER_LIMIT_MS = 5_000;
const WATCHED = { operation: "TRANSACTION", expects: (error: unknown) => error instanceof DomainError };

/**
 * @param limitMs how long its outcome is waited for. What has not begun by then never does; what has may still be
 * committed, as after a lost connection
 * @param wanted false when it would begin: it does not
 */
export async function transact<T>(
  sql: Sql,
  storeId: string,
  limitMs: number,
  run: (tx: Tx) => Promise<T>,
  wanted: () => boolean = () => true,
): Promise<T> {
  let givenUp = false;
  const begin = async () =>
    await sql.begin(async (tx) => {
      if (givenUp || !wanted()) throw new Overloaded("nobody waits for this transaction any more");
      // One after the other on the connection, but sent at once.
      const [, result] = await Promise.all([enterStore(tx, storeId), run(tx)]);
      return result;
    }) as T;
  const untilSettled = async () => {
    for (let attempt = 1;; attempt++) {
      try {
        return await begin();
      } catch (error) {
        if (!isSerializationFailure(error) || attempt === TRIES || givenUp) throw error;
      }
    }
  };
  try {
    return await instrumentSql(WATCHED, () => inTime(untilSettled(), limitMs));
  } finally {
    givenUp = true;
  }
}
