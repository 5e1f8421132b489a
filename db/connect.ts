/** Connections to PostgreSQL: one pool per role, and the one way into a store. */
import postgres from "postgres";
import { createGate } from "./_gate.ts";
import { takeTls } from "./tls.ts";

/** A pool, which can begin transactions. Edges get a `StoreReader` of db/store_reader.ts instead. */
export type Sql = postgres.Sql<Record<string, never>>;

/** A transaction that may write. Functions that write take it, so an edge, which has none, cannot call them. */
export type Tx = postgres.TransactionSql<Record<string, never>>;

/** The application roles, as db/roles.sql creates them. */
export type Role = "customer_owner" | "customer_api" | "customer_reader" | "customer_worker";

/** Times in milliseconds; absent: without a limit. */
export interface PoolLimits {
  /** How long PostgreSQL works on one statement. */
  statementMs?: number;
  /** How long a statement waits for somebody else's lock. */
  lockMs?: number;
  /** How long a transaction may hold its locks while nothing is asked: its process may be frozen or cut off. */
  idleMs?: number;
  /** How long a host may say nothing to a question before it counts as gone; longer than a statement may take. */
  silenceMs?: number;
}

/** What each role's statements may take: somewhat more than whoever asked waits for. */
export const POOL_LIMITS: Record<Role, PoolLimits> = {
  customer_api: { statementMs: 10_000, lockMs: 4_000, idleMs: 10_000, silenceMs: 12_000 },
  customer_reader: { statementMs: 3_000, lockMs: 3_000, idleMs: 3_000, silenceMs: 4_000 },
  customer_worker: { statementMs: 60_000, lockMs: 10_000, idleMs: 30_000, silenceMs: 65_000 },
  customer_owner: {}, // a migration takes as long as it takes
};

/** How many transactions may wait for a connection, and for how many milliseconds. */
const QUEUE = { waiting: 1_000, waitMs: 3_000 };

/**
 * Opens a pool whose every connection acts as `role` from its first statement on.
 * Connections are made when first needed; columns arrive in camelCase. A transaction that finds no free connection
 * waits for one, but not for long: then it is Overloaded.
 */
export function openPool(databaseUrl: string, role: Role, max: number, limits = POOL_LIMITS[role]): Sql {
  const url = new URL(databaseUrl);
  url.searchParams.delete("role"); // the URL's own parameters win over ours
  const tls = takeTls(url);
  const { statementMs = 0, lockMs = 0, idleMs = 0, silenceMs = 0 } = limits;
  const sql: Sql = postgres(url.href, {
    ...tls,
    max,
    connect_timeout: 5,
    silence_timeout: silenceMs / 1_000,
    // A restarted server is found again within a quarter of a second, however long it was away.
    backoff: () => 0.25,
    connection: {
      application_name: `customer-service ${role}`,
      role,
      statement_timeout: statementMs,
      lock_timeout: lockMs,
      idle_in_transaction_session_timeout: idleMs,
    },
    transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
    onnotice: () => {},
  });
  return admitInTurn(sql, max);
}

/** The driver would let any number of transactions wait, for as long as it takes. */
function admitInTurn(sql: Sql, places: number): Sql {
  const enter = createGate({ places, ...QUEUE });
  const begin = sql.begin as (...args: unknown[]) => Promise<unknown>;
  const inTurn = async (...args: unknown[]) => {
    const leave = await enter();
    try {
      return await begin(...args);
    } finally {
      leave();
    }
  };
  const { traffic } = sql;
  return Object.assign(sql, {
    begin: inTurn as Sql["begin"],
    traffic: () => {
      const { waiting, ...connections } = traffic();
      return { ...connections, waiting: waiting + enter.waiting() };
    },
  });
}

/** Confines the rest of the transaction to one store: row-level security shows and takes its rows only. */
export async function enterStore(tx: Tx, storeId: string): Promise<void> {
  await tx`select set_config('app.store_id', ${storeId}, true)`;
}

/**
 * Runs a transaction in one store that may write.
 *
 * @param sql a pool of the role customer_api
 */
export async function writeStore<T>(sql: Sql, storeId: string, write: (tx: Tx) => Promise<T>): Promise<T> {
  return await sql.begin(async (tx) => {
    // The connection runs one after the other, and both are sent in one write.
    const [, result] = await Promise.all([enterStore(tx, storeId), write(tx)]);
    return result;
  }) as T;
}
