/** Connections to PostgreSQL: one pool per role, and the one way into a store. */
import postgres from "postgres";
import { inTime } from "./time_limit.ts";

/** A pool. Whoever is handed one can read what its role may read; only the runtime begins to write. */
export type Sql = postgres.Sql<Record<string, never>>;

/** A transaction. Functions that write take this, so an edge that has only a pool cannot call them. */
export type Tx = postgres.TransactionSql<Record<string, never>>;

/** The application roles, as db/roles.sql creates them. */
export type Role = "customer_owner" | "customer_api" | "customer_reader" | "customer_worker";

/**
 * Opens a pool whose every connection acts as `role` from its first statement on.
 * Connections are made when first needed; columns arrive in camelCase.
 */
export function openPool(databaseUrl: string, role: Role, max: number): Sql {
  const url = new URL(databaseUrl);
  url.searchParams.delete("role"); // the URL's own parameters would win over ours
  return postgres(url.href, {
    max,
    connect_timeout: 5,
    // A restarted server is found again within a quarter of a second, however long it was away.
    backoff: () => 0.25,
    connection: { application_name: `customer-service ${role}`, role },
    transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
    onnotice: () => {},
  });
}

/** Confines the rest of the transaction to one store: row-level security shows and takes its rows only. */
export async function enterStore(tx: Tx, storeId: string): Promise<void> {
  await tx`select set_config('app.store_id', ${storeId}, true)`;
}

/** How long PostgreSQL may take over a reading before it counts as away. */
const READING_LIMIT_MS = 5_000;

/**
 * What one moment of a store shows to `read`, which can write nothing.
 *
 * @param sql a pool of the role customer_api
 * @throws the driver's error, or one that counts as unavailable, when PostgreSQL does not answer
 */
export async function readStore<T>(
  sql: Sql,
  storeId: string,
  read: (sql: Sql) => Promise<T>,
): Promise<T> {
  const reading = sql.begin("isolation level repeatable read read only", async (tx) => {
    // One after the other on the connection, but sent at once. As a pool, so that nothing that writes takes it.
    const [, result] = await Promise.all([enterStore(tx, storeId), read(tx as unknown as Sql)]);
    return result;
  });
  return await inTime(reading as Promise<T>, READING_LIMIT_MS);
}
