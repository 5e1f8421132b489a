/** Connection pools of PostgreSQL, one for each role, and transactions in one store. */
import postgres from "postgres";
import { createGate } from "./_gate.ts";
import type { Attributes } from "../telemetry/metrics.ts";
import { serverAttributes } from "../telemetry/server_address.ts";
import { takeTls } from "./tls.ts";

/** Pool that can begin transactions. Edges get a `StoreReader` of db/store_reader.ts instead. */
export type Sql = postgres.Sql<Record<string, never>>;

/** Transaction that may write. Functions that write take it, so an edge, which has none, cannot call them. */
export type Tx = postgres.TransactionSql<Record<string, never>>;

/** Application roles, as db/roles.sql creates them. */
export type Role = "customer_owner" | "customer_api" | "customer_reader" | "customer_worker";

/** Timeouts in milliseconds; absent: no limit. */
export interface PoolLimits {
  /** Time that one statement may run. */
  statementMs?: number;
  /** Time that a statement waits for a lock. */
  lockMs?: number;
  /** Time that a transaction may stay idle with its locks: its process may be frozen or disconnected. */
  idleMs?: number;
  /** Time without a response after which a host counts as gone; longer than a statement may take. */
  silenceMs?: number;
}

/** Timeouts of each role: somewhat longer than its callers wait. */
export const POOL_LIMITS: Record<Role, PoolLimits> = {
  customer_api: { statementMs: 10_000, lockMs: 4_000, idleMs: 10_000, silenceMs: 12_000 },
  customer_reader: { statementMs: 3_000, lockMs: 3_000, idleMs: 3_000, silenceMs: 4_000 },
  customer_worker: { statementMs: 60_000, lockMs: 10_000, idleMs: 30_000, silenceMs: 65_000 },
  customer_owner: {}, // a migration has no time limit
};

/** Limits of the queue for a connection: waiting transactions, and their wait in milliseconds. */
const QUEUE = { waiting: 1_000, waitMs: 3_000 };

/**
 * Opens a pool whose connections set `role` before their first statement.
 * It connects when first needed, and returns columns in camelCase. A transaction waits a bounded time for a
 * free connection and then throws Overloaded.
 */
export function openPool(databaseUrl: string, role: Role, max: number, limits = POOL_LIMITS[role]): Sql {
  const url = new URL(databaseUrl);
  url.searchParams.delete("role"); // parameters of the URL override ours
  const tls = takeTls(url);
  const { statementMs = 0, lockMs = 0, idleMs = 0, silenceMs = 0 } = limits;
  const sql: Sql = postgres(url.href, {
    ...tls,
    max,
    connect_timeout: 5,
    silence_timeout: silenceMs / 1_000,
    // Reconnects to a restarted server within a quarter of a second, however long it was away.
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

/** Address of the server that a pool connects to, as attributes of a span. */
export function serverOf({ options: { host, port } }: Sql): Attributes {
  return serverAttributes(`${host[0]}:${port[0]}`);
}

/** Bounds the driver's queue of transactions, which has no limit and no timeout. */
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

/** Limits the rest of the transaction to one store by row-level security. */
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
    // The connection runs them in order, and both travel in one write.
    const [, result] = await Promise.all([enterStore(tx, storeId), write(tx)]);
    return result;
  }) as T;
}
