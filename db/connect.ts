/** Connection pools of PostgreSQL, one for each role, and transactions in one store. */
import postgres from "postgres";
import { createGate } from "./_gate.ts";
import type { Attributes } from "../telemetry/metrics.ts";
import { serverAttributes } from "../telemetry/server_address.ts";
import { asTransactionSettings, takeSettings, type Timeouts } from "./session_settings.ts";
import { takeTls } from "./tls.ts";

/** Pool that can begin transactions. Edges get a `StoreReader` of db/store_reader.ts instead. */
export type Sql = postgres.Sql<Record<string, never>>;

/** Transaction that may write. Functions that write take it, so an edge, which has none, cannot call them. */
export type Tx = postgres.TransactionSql<Record<string, never>>;

/** Application roles, as db/roles.sql creates them. */
export type Role = "customer_owner" | "customer_api" | "customer_reader" | "customer_worker";

/** Timeouts in milliseconds; absent: no limit. And what a pool accepts and reports. */
export interface PoolLimits extends Timeouts {
  /** Time without a response after which a host counts as gone; longer than a statement may take. */
  silenceMs?: number;
  /** Time after which an unused connection is closed; absent: it stays open. */
  unusedMs?: number;
  /** Whether a server that accepts no writes will do: a replica. */
  acceptsReplica?: boolean;
  /** Called with each error of the server. */
  onError?: ((error: unknown) => void) | undefined;
}

/** Timeouts of each role: somewhat longer than its callers wait. */
export const POOL_LIMITS: Record<Role, PoolLimits> = {
  customer_api: { statementMs: 10_000, lockMs: 4_000, idleMs: 10_000, silenceMs: 12_000 },
  customer_reader: { statementMs: 3_000, lockMs: 3_000, idleMs: 3_000, silenceMs: 4_000 },
  customer_worker: { statementMs: 60_000, lockMs: 10_000, idleMs: 30_000, silenceMs: 65_000 },
  customer_owner: {}, // a migration has no time limit
};

/** Limits of a pool for lookups at a replica. Shorter than those of the primary, which is asked after it. */
export const REPLICA_LIMITS: PoolLimits = {
  statementMs: 2_000,
  lockMs: 1_000,
  idleMs: 2_000,
  silenceMs: 2_000,
  acceptsReplica: true,
};

/** Limits of the queue for a connection: waiting transactions, and their wait in milliseconds. */
const QUEUE = { waiting: 1_000, waitMs: 3_000 };

/**
 * Opens a pool whose sessions have `role`, the pinned settings and the timeouts from their start.
 * It connects when first needed, only to a server that accepts writes unless `acceptsReplica`, and returns columns in
 * camelCase. When the server no longer accepts writes, every session is replaced. A transaction waits a bounded time for a free
 * connection and then throws Overloaded.
 */
export function openPool(databaseUrl: string, role: Role, max: number, limits = POOL_LIMITS[role]): Sql {
  const url = new URL(databaseUrl);
  const settings = takeSettings(url, limits, role);
  const options = commonOptions(url, limits);
  const connection = { application_name: applicationName(role), ...settings };
  const sql: Sql = postgres(url.href, { ...options, max, connection });
  return guardTransactions(sql, max);
}

/**
 * Opens a pool like `openPool`, whose single statements run in transactions of their own: Citus passes the store that a
 * statement enters on to the workers only within a transaction.
 */
export function openEnclosingPool(
  databaseUrl: string,
  role: Role,
  max: number,
  limits = POOL_LIMITS[role],
): Sql {
  const url = new URL(databaseUrl);
  const settings = takeSettings(url, limits, role);
  const options = commonOptions(url, limits);
  const connection = { application_name: applicationName(role), ...settings };
  const sql: Sql = postgres(url.href, { ...options, max, connection, transaction_settings: DEFAULT_MODE });
  return guardTransactions(sql, max);
}

/** Address of the server that a pool connects to, as attributes of a span. */
export function serverOf({ options: { host, port } }: Sql): Attributes {
  return serverAttributes(`${host[0]}:${port[0]}`);
}

/**
 * Opens a pool like `openPool`, through a pooler that gives a server's session to one transaction at a time: PgBouncer
 * with pool_mode=transaction, for example. Each transaction sets its role and settings together with its first
 * statement, single statements run in a transaction of their own, and no session keeps a prepared statement. Neither
 * LISTEN nor VACUUM works in it.
 */
export function openTransactionPool(
  poolerUrl: string,
  role: Role,
  max: number,
  limits = POOL_LIMITS[role],
): Sql {
  const url = new URL(poolerUrl);
  const settings = asTransactionSettings(takeSettings(url, limits, role));
  const options = commonOptions(url, limits);
  const sql: Sql = postgres(url.href, {
    ...options,
    max,
    prepare: false,
    connection: { application_name: applicationName(role) },
    transaction_settings: `${DEFAULT_MODE};${settings}`,
  });
  return guardTransactions(sql, max, settings);
}

const DEFAULT_MODE = "isolation level read committed";
const applicationName = (role: Role) => `customer-service ${role}`;

/** Options of every connection; it takes the TLS parameters out of the URL. */
export function commonOptions(
  url: URL,
  { silenceMs = 0, unusedMs = 0, acceptsReplica = false, onError }: PoolLimits = {},
) {
  return {
    ...takeTls(url),
    connect_timeout: 5,
    silence_timeout: silenceMs / 1_000,
    idle_timeout: unusedMs / 1_000,
    target_session_attrs: acceptsReplica ? undefined : "read-write" as const,
    // Reconnects to a restarted server within a quarter of a second, however long it was away.
    backoff: () => 0.25,
    transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
    onnotice: () => {},
    onservererror: onError,
  };
}

/**
 * Bounds the driver's queue of transactions, which has no limit and no timeout.
 *
 * @param settings statements that each transaction begins with
 */
function guardTransactions(sql: Sql, places: number, settings?: string): Sql {
  const enter = createGate({ places, ...QUEUE });
  const send = sql.begin as (mode: string, run: Run) => Promise<unknown>;
  const begin = settings === undefined
    ? send
    : (mode: string, run: Run) => send(mode || DEFAULT_MODE, (tx) => runWithSettings(tx, settings, run));
  const inTurn = async (...args: [run: Run] | [mode: string, run: Run]) => {
    const [mode, run] = args.length === 2 ? args : ["", args[0]] as const;
    const leave = await enter();
    try {
      return await begin(mode, run);
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

type Run = (tx: Tx) => unknown;

/** Sends the settings and the first statements of `run` in one write. */
async function runWithSettings(tx: Tx, settings: string, run: Run): Promise<unknown> {
  const setting = tx.unsafe(settings).execute();
  const running = (async () => await run(tx))();
  const [set, ran] = await Promise.allSettled([setting, running]);
  if (set.status === "rejected") throw set.reason; // the errors of `run` follow from it
  if (ran.status === "rejected") throw ran.reason;
  return ran.value;
}

/** Limits the rest of the transaction to one store by row-level security. */
export async function enterStore(tx: Tx, storeId: string): Promise<void> {
  await tx`select enter_store(${storeId}::uuid)`;
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
