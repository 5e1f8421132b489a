/** Transaction in one store. It retries serialization failures with backoff and gives up after a timeout. */
import { serverOf, type Sql, type Tx, writeStore } from "../../db/connect.ts";
import { isSerializationFailure, Overloaded } from "../../db/errors.ts";
import { inTime } from "../../db/time_limit.ts";
import { instrumentSql } from "../../telemetry/sql.ts";
import { DomainError } from "../../domain/errors.ts";
import { exponential, jittered } from "../../lib/backoff.ts";
import { pause } from "../../lib/timeout.ts";

const TRIES = 8;
/** Pauses between tries, in milliseconds: the first one is shorter than most transactions. */
const PAUSES = { firstMs: 5, longestMs: 320 };
export const ANSWER_LIMIT_MS = 5_000;
const WATCHED = { operation: "TRANSACTION", expects: (error: unknown) => error instanceof DomainError };

export interface TransactionLimits {
  /**
   * How long the outcome is awaited, in milliseconds. A transaction that has not begun by then never begins; one that
   * has begun may still be committed, as after a lost connection.
   */
  limitMs: number;
  /** Called before the transaction begins; false prevents it. Absent: it begins. */
  wanted?: (() => boolean) | undefined;
}

/**
 * Returns whether a transaction that has failed may run again, after a pause that grows with the attempts.
 *
 * @param attempt 1 for the first run
 * @param wanted whether the caller still waits
 */
export async function canRunAgain(error: unknown, attempt: number, wanted: () => boolean): Promise<boolean> {
  if (!isSerializationFailure(error) || attempt >= TRIES || !wanted()) return false;
  await pause(jittered(exponential(attempt, PAUSES.firstMs, PAUSES.longestMs)));
  return true;
}

/**
 * @throws {Overloaded} nothing waits for the transaction any longer
 * @throws an error that counts as unavailable after `limitMs`
 */
export async function transact<T>(
  sql: Sql,
  storeId: string,
  run: (tx: Tx) => Promise<T>,
  { limitMs, wanted = () => true }: TransactionLimits,
): Promise<T> {
  let givenUp = false;
  const begin = () =>
    writeStore(sql, storeId, async (tx) => {
      if (givenUp || !wanted()) throw new Overloaded("the caller no longer waits for the transaction");
      return await run(tx);
    });
  const untilSettled = async () => {
    for (let attempt = 1;; attempt++) {
      try {
        return await begin();
      } catch (error) {
        if (!await canRunAgain(error, attempt, () => !givenUp)) throw error;
      }
    }
  };
  try {
    return await instrumentSql(
      { ...WATCHED, attributes: serverOf(sql) },
      () => inTime(untilSettled(), limitMs),
    );
  } finally {
    givenUp = true;
  }
}
