/** Steps of the start that touch the outside: the database, certificates, the HTTP port, signals, failures. */
import type { Hono } from "@hono/hono";
import { type Config, ConfigError, type GrpcAuthConfig } from "./config/mod.ts";
import { bootstrap } from "./db/bootstrap.ts";
import { EmbeddedError, startEmbedded } from "./db/embedded.ts";
import { describeError } from "./db/errors.ts";
import { migrate, MigrationError } from "./db/migrate.ts";
import { ListenError } from "./rpc/listener.ts";

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

/** The PEM texts behind the paths of the configuration. */
export async function readCertificates(grpcAuth: GrpcAuthConfig) {
  if (grpcAuth.mode !== "mtls") return undefined;
  const read = (path: string) =>
    Deno.readTextFile(path).catch((cause) => {
      throw new StartError(`Cannot read ${path}: ${describeError(cause)}`, { cause });
    });
  const [certificate, key, clientCa] = await Promise.all(
    [grpcAuth.certificate, grpcAuth.key, grpcAuth.clientCa].map(read),
  );
  return { certificate, key, clientCa } as { certificate: string; key: string; clientCa: string };
}

export function serveHttp({ bind, httpPort }: Config, app: Hono): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: bind, port: httpPort, onListen: () => {} }, app.fetch);
  } catch (cause) {
    const why = cause instanceof Deno.errors.AddrInUse ? "the port is taken" : describeError(cause);
    throw new StartError(`Cannot serve HTTP on ${bind} port ${httpPort}: ${why}`, { cause });
  }
}

/** `deno task` passes Ctrl-C on to a process that has had it from the terminal already. */
const ECHO_MS = 1_000;

/** Returns when somebody tells the process to end. Whoever insists afterwards ends it at once, with exit code 1. */
export async function untilTold(): Promise<void> {
  const told = Promise.withResolvers<void>();
  let since: number | undefined;
  const stop = () => {
    if (since !== undefined && Date.now() - since > ECHO_MS) Deno.exit(1);
    since ??= Date.now();
    told.resolve();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    if (Deno.build.os !== "windows" || signal === "SIGINT") Deno.addSignalListener(signal, stop);
  }
  await told.promise;
}

/** A sentence for what the person who started the service can mend, the whole error for what it cannot. */
export function explain(error: unknown): string {
  const expected = [ConfigError, EmbeddedError, ListenError, MigrationError, StartError];
  if (error instanceof Error && expected.some((kind) => error instanceof kind)) return error.message;
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
