/** Start-up steps: database, certificates, HTTP port, and error messages. */
import { createServer } from "node:net";
import { getLogger } from "@logtape/logtape";
import { readAuthority, readIdentity } from "./config/certificates.ts";
import { type Config, ConfigError, type GrpcTlsConfig } from "./config/mod.ts";
import { bootstrap } from "./db/bootstrap.ts";
import { EmbeddedError, startEmbedded } from "./db/embedded.ts";
import { openPool, openTransactionPool, type Role, type Sql } from "./db/connect.ts";
import { migrate, MigrationError } from "./db/migrate.ts";
import { asUnusable, requireSettings, UnusableDatabase } from "./db/requirements.ts";
import { describeError } from "./lib/error_description.ts";
import { onServeError } from "./http/serve_errors.ts";
import { serveResiliently } from "./http/resilient_server.ts";
import { ListenError, type TlsOptions } from "./grpc/mod.ts";
import { succeedsWithin } from "./lib/timeout.ts";

/** The service cannot start. The message is for the person who started it. */
export class StartError extends Error {
  override name = "StartError";
}

export interface OpenDatabase {
  /** URL with the service's login. */
  url: string;
  /** URL of PostgreSQL itself, where `url` leads to a transaction pooler. */
  directUrl: string | undefined;
  embedded: boolean;
  /** Description for people. */
  description: string;
}

/**
 * Refuses taken ports before anything is downloaded or created.
 *
 * @throws {StartError} names the variable of the port
 */
export async function requireFreePorts(
  { bind, httpPort, grpcPort }: Pick<Config, "bind" | "httpPort" | "grpcPort">,
): Promise<void> {
  for (const [protocol, port] of [["HTTP", httpPort], ["gRPC", grpcPort]] as const) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const probe = createServer().once("error", reject).listen(port, bind, () => probe.close(() => resolve()));
    await promise.catch((cause) => {
      const message = cause.code === "EADDRINUSE"
        ? takenPort(protocol, bind, port)
        : `Cannot serve ${protocol} on ${bind} port ${port}: ${cause.message}`;
      throw new StartError(message, { cause });
    });
  }
}

const takenPort = (protocol: "HTTP" | "gRPC", bind: string, port: number) =>
  `Cannot serve ${protocol} on ${bind} port ${port}: the port is taken; ` +
  `set ${protocol.toUpperCase()}_PORT to another one`;

/** Starts the embedded database if no other is configured, and migrates the schema. */
export async function openDatabase(config: Config, stack: AsyncDisposableStack): Promise<OpenDatabase> {
  const database = config.databaseUrl === undefined ? await openEmbedded(config.dataDirectory, stack) : {
    url: config.databaseUrl,
    directUrl: config.databaseDirectUrl,
    embedded: false,
    description: "PostgreSQL of DATABASE_URL",
  };
  await migrate(database.directUrl ?? database.url).catch(refuseDatabase);
  return database;
}

function refuseDatabase(cause: unknown): never {
  if (cause instanceof MigrationError) throw cause;
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
}

/** Opens the pools and verifies that each of them gets its role and settings. */
export async function openPools(
  { url, directUrl }: OpenDatabase,
  { databasePoolSize }: Config,
  stack: AsyncDisposableStack,
): Promise<Pools> {
  const close = (sql: Sql) => sql.end({ timeout: 5 }); // seconds, in case the database does not respond
  const open = directUrl === undefined ? openPool : openTransactionPool;
  const direct = directUrl ?? url;
  const pools = {
    api: stack.adopt(open(url, "customer_api", databasePoolSize), close),
    reader: stack.adopt(open(url, "customer_reader", 4), close),
    work: stack.adopt(open(url, "customer_worker", 8), close),
    maintenance: stack.adopt(openPool(direct, "customer_worker", 1, { unusedMs: 5_000 }), close),
  };
  const verify = (sql: Sql, role: Role, at: string) =>
    requireSettings(sql, role).catch((error) => refuseDatabase(asUnusable(error, at, role)));
  const verified = await Promise.allSettled([
    verify(pools.api, "customer_api", url),
    verify(pools.reader, "customer_reader", url),
    verify(pools.work, "customer_worker", url),
    verify(pools.maintenance, "customer_worker", direct),
  ]);
  const failed = verified.find((result) => result.status === "rejected"); // the same one at every start
  if (failed) throw failed.reason;
  return pools;
}

async function openEmbedded(directory: string, stack: AsyncDisposableStack): Promise<OpenDatabase> {
  const server = stack.use(await startEmbedded(directory));
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

/** Reads the PEM files of GRPC_TLS_…; undefined if the port has no TLS. */
export async function readCertificates(
  grpcTls: GrpcTlsConfig | undefined,
): Promise<TlsOptions | undefined> {
  if (!grpcTls) return undefined;
  const failurePrefix = "Cannot serve gRPC";
  const identity = await readIdentity(grpcTls, failurePrefix, {
    certificate: "GRPC_TLS_CERT",
    key: "GRPC_TLS_KEY",
  });
  if (!grpcTls.clientCa) return identity;
  const clientCa = await readAuthority(grpcTls.clientCa, { failurePrefix, variable: "GRPC_TLS_CLIENT_CA" });
  return { ...identity, clientCa };
}

/** Handler of HTTP requests. */
export interface Fetcher {
  fetch: Deno.ServeHandler<Deno.NetAddr>;
}

export interface HttpServer {
  port: number;
  /** Stops accepting and waits for the requests in progress, at most CLOSE_LIMIT_MS. */
  close(): Promise<void>;
}

/** Streams have ended by then. Large export downloads of slow clients may be cut off. */
const CLOSE_LIMIT_MS = 15_000;

export function serveHttp({ bind, httpPort, workers }: Config, { fetch }: Fetcher): HttpServer {
  try {
    const options = { hostname: bind, reusePort: workers > 1, onListen: () => {}, onError: onServeError };
    const server = serveResiliently(httpPort, (port) => Deno.serve({ ...options, port }, fetch));
    let closing: Promise<void> | undefined;
    return {
      port: server.port,
      close: () => closing ??= finish(server.shutdown()),
    };
  } catch (cause) {
    const message = cause instanceof Deno.errors.AddrInUse
      ? takenPort("HTTP", bind, httpPort)
      : `Cannot serve HTTP on ${bind} port ${httpPort}: ${describeError(cause)}`;
    throw new StartError(message, { cause });
  }
}

async function finish(completed: Promise<void>): Promise<void> {
  if (await succeedsWithin(completed, CLOSE_LIMIT_MS)) return;
  getLogger(["customer-service", "http"]).warn(
    "Closing responses that are incomplete {seconds} s after the shutdown began",
    {
      seconds: CLOSE_LIMIT_MS / 1_000,
    },
  );
}

/** Error message for an error that the person who started the service can fix; otherwise with the stack. */
export function explain(error: unknown): string {
  const expected = [ConfigError, EmbeddedError, ListenError, MigrationError, StartError];
  if (error instanceof Error && expected.some((kind) => error instanceof kind)) return error.message;
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
