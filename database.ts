/** Start-up steps of the database: the embedded one, migrations, and the pools of each role. */
import { getLogger } from "@logtape/logtape";
import type { Config } from "./config/mod.ts";
import { bootstrap } from "./db/bootstrap.ts";
import {
  openEnclosingPool,
  openPool,
  openTransactionPool,
  POOL_LIMITS,
  type Role,
  type Sql,
} from "./db/connect.ts";
import { isDistributed } from "./db/distribution.ts";
import { EmbeddedError, startEmbedded } from "./db/embedded.ts";
import { mayPass } from "./db/errors.ts";
import { migrate, MigrationError } from "./db/migrate.ts";
import { asUnusable, requireSettings, UnusableDatabase } from "./db/requirements.ts";
import { createWriteCheck, type WriteCheck } from "./db/write_check.ts";
import { LOOKUP_POOL_SIZE } from "./nearby.ts";
import { exponential } from "./lib/backoff.ts";
import { describeError } from "./lib/error_description.ts";
import { pause } from "./lib/timeout.ts";
import { StartError } from "./start.ts";

export interface OpenDatabase {
  /** URL with the service's login. */
  url: string;
  /** URL of PostgreSQL itself, where `url` leads to a transaction pooler. */
  directUrl: string | undefined;
  embedded: boolean;
  /** Description for people. */
  description: string;
}

/** How long a start waits for a database that cannot be reached. */
export interface DatabaseWait {
  waitMs: number;
  /** Aborted when the process is to end. */
  stopping?: AbortSignal | undefined;
}

/**
 * Starts the embedded database if no other is configured, and migrates the schema.
 *
 * @throws {StartError} the database cannot be used, or cannot be reached within the time
 */
export async function openDatabase(
  config: Config,
  stack: AsyncDisposableStack,
  wait: DatabaseWait = { waitMs: config.databaseWaitMs },
): Promise<OpenDatabase> {
  const database = config.databaseUrl === undefined ? await openEmbedded(config.dataDirectory, stack) : {
    url: config.databaseUrl,
    directUrl: config.databaseDirectUrl,
    embedded: false,
    description: "PostgreSQL of DATABASE_URL",
  };
  await whenReachable(() => migrate(database.directUrl ?? database.url), wait).catch(refuseDatabase);
  return database;
}

function refuseDatabase(cause: unknown): never {
  if (cause instanceof MigrationError) throw new StartError(cause.message, { cause });
  const reason = cause instanceof UnusableDatabase ? cause.message : describeError(cause);
  throw new StartError(`Cannot prepare the database: ${reason}`, { cause });
}

/** Pools of PostgreSQL; each connection has the rights of its role only. */
export interface Pools {
  /** customer_api, the only role that writes in stores. */
  api: Sql;
  /** customer_reader, which executes lookups. */
  reader: Sql;
  /** customer_worker, which claims work of all stores. */
  work: Sql;
  /** customer_worker with one connection to PostgreSQL itself and without timeouts. */
  maintenance: Sql;
  /** Whether the tables are distributed by store. */
  distributed: boolean;
  /** Receives the errors of the pools. */
  writes: WriteCheck;
  /** Closes all connections after the time, unless it is disposed before: what waits for an answer fails then. */
  cutAfter(limitMs: number): Disposable;
}

/** Opens the pools and verifies that each of them gets its role and settings. */
export async function openPools(
  { url, directUrl }: OpenDatabase,
  config: Config,
  stack: AsyncDisposableStack,
  wait: DatabaseWait = { waitMs: config.databaseWaitMs },
): Promise<Pools> {
  const close = (sql: Sql) => sql.end({ timeout: 5 }); // seconds, in case the database does not respond
  const writes = createWriteCheck();
  const limits = (role: Role) => ({ ...POOL_LIMITS[role], onError: writes.report });
  const open = directUrl === undefined ? openPool : openTransactionPool;
  const direct = directUrl ?? url;
  const pools = {
    api: stack.adopt(open(url, "customer_api", config.databasePoolSize, limits("customer_api")), close),
    reader: stack.adopt(open(url, "customer_reader", LOOKUP_POOL_SIZE, limits("customer_reader")), close),
    work: stack.adopt(open(url, "customer_worker", 8, limits("customer_worker")), close),
    maintenance: stack.adopt(openPool(direct, "customer_worker", 1, { unusedMs: 5_000 }), close),
  };
  const verify = async (sql: Sql, role: Role, at: string) => {
    const check = () =>
      requireSettings(sql, role).catch((error) => {
        throw asUnusable(error, at, role);
      });
    await whenReachable(check, wait).catch(refuseDatabase);
  };
  const verified = await Promise.allSettled([
    verify(pools.api, "customer_api", url),
    verify(pools.reader, "customer_reader", url),
    verify(pools.work, "customer_worker", url),
    verify(pools.maintenance, "customer_worker", direct),
  ]);
  const failed = verified.find((result) => result.status === "rejected"); // the same one at every start
  if (failed) throw failed.reason;
  const distributed = await whenReachable(() => isDistributed(pools.maintenance), wait);
  if (distributed && directUrl === undefined) {
    await pools.api.end();
    const api = openEnclosingPool(url, "customer_api", config.databasePoolSize, limits("customer_api"));
    pools.api = stack.adopt(api, close);
  }
  const cut = () => Object.values(pools).forEach((sql) => void sql.end({ timeout: 0 }));
  return {
    ...pools,
    distributed,
    writes,
    cutAfter(limitMs) {
      const timer = setTimeout(cut, limitMs);
      return { [Symbol.dispose]: () => clearTimeout(timer) };
    },
  };
}

function refuseEmbedded(cause: unknown): never {
  throw cause instanceof EmbeddedError ? new StartError(cause.message, { cause }) : cause;
}

async function openEmbedded(directory: string, stack: AsyncDisposableStack): Promise<OpenDatabase> {
  const server = stack.use(await startEmbedded(directory).catch(refuseEmbedded));
  const password = crypto.getRandomValues(new Uint8Array(24)).toHex();
  const url = await bootstrap(server.adminUrl, "customer", password);
  const { port } = new URL(url);
  return {
    url,
    directUrl: undefined,
    embedded: true,
    description: `embedded PostgreSQL on port ${port}, data in ${server.folder}`,
  };
}

const MAX_PAUSE_MS = 5_000;

/** Repeats `work` while the database cannot be reached or accepts no changes, until the time is over. */
async function whenReachable<T>(work: () => Promise<T>, { waitMs, stopping }: DatabaseWait): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (let attempt = 1;; attempt++) {
    try {
      return await work();
    } catch (error) {
      const cause = error instanceof UnusableDatabase ? error.cause : error;
      const pauseMs = exponential(attempt, 250, MAX_PAUSE_MS);
      if (!mayPass(cause) || stopping?.aborted || performance.now() + pauseMs > deadline) throw error;
      const reason = error instanceof UnusableDatabase ? error.message : describeError(error);
      getLogger(["customer-service"]).warn("Waiting for the database: {reason}", { reason });
      await pause(pauseMs, stopping);
    }
  }
}
