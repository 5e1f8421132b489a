/**
 * The composition root of an edge: GetCustomerGroups from a replica nearby, the gRPC health service, and the health checks
 * over HTTP. It writes nothing and reads no personal value.
 */
import { getLogger } from "@logtape/logtape";
import { type CallerProof, createAdmission } from "./auth/callers.ts";
import type { Config } from "./config/mod.ts";
import { openPool } from "./db/connect.ts";
import { createLookups } from "./db/lookups.ts";
import { meterPools } from "./db/pool_metrics.ts";
import { createReadiness, type Readiness, watchReadiness } from "./db/readiness.ts";
import { monitorLoad } from "./http/load_shedding.ts";
import { pause } from "./lib/timeout.ts";
import { LOOKUP_POOL_SIZE, openNearby } from "./nearby.ts";
import { createGetCustomerGroups } from "./rpc/lookups.ts";
import { serveGrpc } from "./rpc/server.ts";
import { readCertificates, requireFreePorts, serveHttp, type Service } from "./start.ts";

/** Starts an edge. It is ready as soon as the replica, or the primary if one is configured, can answer. */
export async function start(config: Config): Promise<Service> {
  await using stack = new AsyncDisposableStack();
  await using doors = new AsyncDisposableStack();
  if (config.workers === 1) await requireFreePorts(config);
  const primary = openPrimary(config, stack);
  const nearby = openNearby(config, primary, stack);
  if (!nearby) throw new Error("ROLES=edge without DATABASE_READ_URL passed the validation");
  stack.use(meterPools({
    ...(primary && { customer_reader: primary.reader }),
    customer_reader_replica: nearby.sql,
  }));
  const draining = new AbortController();
  const primaryReady = primary && await createReadiness({ reader: primary.reader });
  const ready = async () =>
    !draining.signal.aborted && (nearby.watch.fault() === undefined || await primaryReady?.() === true);
  const load = doors.use(monitorLoad());
  const rpc = doors.adopt(
    await serveGrpc({
      bind: config.bind,
      port: config.grpcPort,
      shared: config.workers > 1,
      tls: await readCertificates(config.grpcTls),
      admit: createAdmission({ ...await openProof(config), callers: config.grpcCallers }),
      methods: { getCustomerGroups: createGetCustomerGroups(nearby.lookups) },
      enter: load.createLimit("calls", config.grpcMaxInFlight).acquire,
    }),
    (server) => server.close(),
  );
  const http = doors.adopt(
    serveHttp(config, createHealth(ready, draining.signal)),
    (server) => server.close(),
  );
  await nearby.watch.first;
  doors.use(watchReadiness(ready, rpc.setServing));
  const ports = { httpPort: http.port, grpcPort: rpc.port };
  getLogger(["customer-service"]).info("Ready: HTTP on port {httpPort}, gRPC on port {grpcPort}", ports);
  const [openDoors, openParts] = [doors.move(), stack.move()];
  return {
    ...ports,
    async [Symbol.asyncDispose]() {
      draining.abort();
      rpc.setServing(false);
      await pause(config.shutdownDelayMs);
      await Promise.all([http.close(), rpc.close()]);
      await openDoors.disposeAsync();
      await openParts.disposeAsync();
    },
  };
}

function openPrimary({ databaseUrl }: Config, stack: AsyncDisposableStack) {
  if (databaseUrl === undefined) return undefined;
  const reader = stack.adopt(
    openPool(databaseUrl, "customer_reader", LOOKUP_POOL_SIZE),
    (sql) => sql.end({ timeout: 1 }),
  );
  return { reader, lookups: createLookups(reader) };
}

/** Loads the verification of tokens only where callers send them. */
async function openProof({ auth, grpcAuth, dataDirectory }: Config): Promise<CallerProof> {
  if (grpcAuth.mode !== "token") return grpcAuth;
  const { callerProof, openAuth } = await import("./auth/mod.ts");
  return callerProof(grpcAuth, await openAuth(auth, dataDirectory));
}

/** `/healthz` and `/readyz` with the responses of the complete service. */
function createHealth(ready: Readiness, draining: AbortSignal) {
  return {
    async fetch(request: Request): Promise<Response> {
      const { pathname } = new URL(request.url);
      if (pathname === "/healthz") return new Response("alive\n");
      if (pathname !== "/readyz") return new Response("An edge serves gRPC only\n", { status: 404 });
      if (await ready()) return new Response("ready\n");
      const reason = draining.aborted ? "the service is ending\n" : "the database cannot be used\n";
      return new Response(reason, { status: 503, headers: { "retry-after": "5" } });
    },
  };
}
