/** Connections to PostgreSQL: one pool per role, and the one way into a store. */
import postgres from "postgres";

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
