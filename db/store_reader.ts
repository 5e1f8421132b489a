/** Read-only transaction in one store, and the reader of stores that edges get instead of a pool. */
import postgres from "postgres";
import { enterStore, type Sql } from "./connect.ts";
import { inTime } from "./time_limit.ts";

/**
 * Runs queries and nothing else: it can neither begin a transaction nor run text as SQL, and is not the `Tx`
 * that writing functions take. A pool and a transaction that writes are also a `ReadSql`.
 */
export interface ReadSql extends Pick<Sql, "json"> {
  <T extends readonly (object | undefined)[] = postgres.Row[]>(
    template: TemplateStringsArray,
    ...parameters: readonly postgres.ParameterOrFragment<never>[]
  ): postgres.PendingQuery<T>;
  /** Name of a table or a column, quoted. */
  (identifier: string): postgres.Helper<string, []>;
}

/**
 * Runs a read-only transaction in one store. All queries see the same snapshot, and PostgreSQL refuses every write.
 *
 * @param sql a pool of the role customer_api: customer_reader has no right on any table
 */
export async function readStore<T>(
  sql: Sql,
  storeId: string,
  read: (sql: ReadSql) => Promise<T>,
): Promise<T> {
  const transaction = sql.begin("isolation level repeatable read read only", async (tx) => {
    // The connection runs them in order, and both travel in one write.
    const [, result] = await Promise.all([enterStore(tx, storeId), read(tx)]);
    return result;
  });
  return await transaction.catch(refuseWrite) as T;
}

/** A write fails here on every server: a defect, not a server that accepts no changes. */
function refuseWrite(cause: unknown): never {
  if (!(cause instanceof postgres.PostgresError) || cause.code !== "25006") throw cause;
  throw new Error("A read-only transaction has attempted a write", { cause });
}

/** Reads in a store for a waiting caller. */
export interface StoreReader {
  /**
   * Runs `read` in a read-only transaction of one store; all its queries see the same snapshot.
   *
   * @throws the driver's error, or one that counts as unavailable when PostgreSQL does not answer in time
   */
  read<T>(storeId: string, read: (sql: ReadSql) => Promise<T>): Promise<T>;
}

/** Timeout of a read, in milliseconds. */
const READ_LIMIT_MS = 5_000;

/** @param sql a pool of the role customer_api */
export function createStoreReader(sql: Sql): StoreReader {
  return { read: (storeId, read) => inTime(readStore(sql, storeId, read), READ_LIMIT_MS) };
}
