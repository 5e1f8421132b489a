/** Start-up steps: database, certificates, HTTP port, and error messages. */
import type { Hono } from "@hono/hono";
import { getLogger } from "@logtape/logtape";
import { readAuthority, readIdentity } from "./config/certificates.ts";
import { type Config, ConfigError, type GrpcTlsConfig } from "./config/mod.ts";
import { bootstrap } from "./db/bootstrap.ts";
import { EmbeddedError, startEmbedded } from "./db/embedded.ts";
import { describeError } from "./lib/error_description.ts";
import { migrate, MigrationError } from "./db/migrate.ts";
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
  embedded: boolean;
  /** Description for people. */
  description: string;
}

/** Starts the embedded database if no other is configured, and migrates the schema. */
export async function openDatabase(config: Config, stack: AsyncDisposableStack): Promise<OpenDatabase> {
  const database = config.databaseUrl === undefined
    ? await openEmbedded(config.dataDirectory, stack)
    : { url: config.databaseUrl, embedded: false, description: "PostgreSQL of DATABASE_URL" };
  await migrate(database.url).catch((cause) => {
    if (cause instanceof MigrationError) throw cause;
    throw new StartError(`Cannot prepare the database: ${describeError(cause)}`, { cause });
  });
  return database;
}

async function openEmbedded(directory: string, stack: AsyncDisposableStack): Promise<OpenDatabase> {
  const server = stack.use(await startEmbedded(directory));
  const password = crypto.getRandomValues(new Uint8Array(24)).toHex();
  const url = await bootstrap(server.adminUrl, "customer", password);
  const { port } = new URL(url);
  return {
    url,
    embedded: true,
    description: `embedded PostgreSQL on port ${port}, data in ${server.folder}`,
  };
}

/** Reads the PEM files of GRPC_TLS_…; undefined if the port has no TLS. */
export async function readCertificates(
  grpcTls: GrpcTlsConfig | undefined,
): Promise<TlsOptions | undefined> {
  if (!grpcTls) return undefined;
  const purpose = "Cannot serve gRPC";
  const identity = await readIdentity(grpcTls, purpose, {
    certificate: "GRPC_TLS_CERT",
    key: "GRPC_TLS_KEY",
  });
  if (!grpcTls.clientCa) return identity;
  const clientCa = await readAuthority(grpcTls.clientCa, { purpose, variable: "GRPC_TLS_CLIENT_CA" });
  return { ...identity, clientCa };
}

export interface HttpServer {
  port: number;
  /** Stops accepting and waits for the requests in progress, at most CLOSE_LIMIT_MS. */
  close(): Promise<void>;
}

/** Streams have ended by then. Large export downloads of slow clients may be cut off. */
const CLOSE_LIMIT_MS = 15_000;

export function serveHttp({ bind, httpPort, workers }: Config, app: Hono): HttpServer {
  try {
    const options = { hostname: bind, reusePort: workers > 1, onListen: () => {}, onError: onServeError };
    const server = serveResiliently(httpPort, (port) => Deno.serve({ ...options, port }, app.fetch));
    let closing: Promise<void> | undefined;
    return {
      port: server.port,
      close: () => closing ??= finish(server.shutdown()),
    };
  } catch (cause) {
    const reason = cause instanceof Deno.errors.AddrInUse ? "the port is taken" : describeError(cause);
    throw new StartError(`Cannot serve HTTP on ${bind} port ${httpPort}: ${reason}`, { cause });
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
