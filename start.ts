/** Start-up steps of every role: certificates, HTTP port, and error messages. */
import { createServer } from "node:net";
import { getLogger } from "@logtape/logtape";
import { readAuthority, readIdentity } from "./config/certificates.ts";
import { type Config, ConfigError, type GrpcTlsConfig } from "./config/mod.ts";
import { describeError } from "./lib/error_description.ts";
import { onServeError } from "./http/serve_errors.ts";
import { serveResiliently } from "./http/resilient_server.ts";
import { ListenError, type TlsOptions } from "./grpc/mod.ts";
import { succeedsWithin } from "./lib/timeout.ts";

/** The service cannot start. The message is for the person who started it. */
export class StartError extends Error {
  override name = "StartError";
}

/** A running service, or an edge of it. */
export interface Service extends AsyncDisposable {
  httpPort: number;
  grpcPort: number;
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
  const expected = [ConfigError, ListenError, StartError];
  if (error instanceof Error && expected.some((kind) => error instanceof kind)) return error.message;
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
