/** Steps of the start that touch the outside: the database, certificates, the HTTP port, failures. */
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

/** The service cannot start; the message is for the person who started it. */
export class StartError extends Error {
  override name = "StartError";
}

export interface OpenDatabase {
  /** For the service's own login. */
  url: string;
  embedded: boolean;
  /** Where the rows are, in words. */
  description: string;
}

/** Brings the database up, the embedded one if no other is configured, and its schema up to date. */
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

/** The PEM texts of GRPC_TLS_…; undefined where the port speaks plain text. */
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
  /** Stops accepting and waits for the requests under way, but not for those of clients that never come to an end. */
  close(): Promise<void>;
}

/** Streams have been told by then; a part of an export is a large file for a slow client. */
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
    const why = cause instanceof Deno.errors.AddrInUse ? "the port is taken" : describeError(cause);
    throw new StartError(`Cannot serve HTTP on ${bind} port ${httpPort}: ${why}`, { cause });
  }
}

async function finish(answered: Promise<void>): Promise<void> {
  if (await succeedsWithin(answered, CLOSE_LIMIT_MS)) return;
  getLogger(["customer-service", "http"]).warn(
    "Cuts answers that have taken {seconds} s since the end began",
    {
      seconds: CLOSE_LIMIT_MS / 1_000,
    },
  );
}

/** A sentence for what the person who started the service can mend, the whole error for what it cannot. */
export function explain(error: unknown): string {
  const expected = [ConfigError, EmbeddedError, ListenError, MigrationError, StartError];
  if (error instanceof Error && expected.some((kind) => error instanceof kind)) return error.message;
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
