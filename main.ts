/** The composition root: reads the configuration, opens each part once, and closes them in reverse. */
import { pause } from "./lib/timeout.ts";
import { getLogger } from "@logtape/logtape";
import type { EffectType } from "./actors/actions.ts";
import type { Performer } from "./actors/commands.ts";
import { endMemberships } from "./actors/customers/end_memberships.ts";
import { createRequestPerformers, createRequestSettings } from "./actors/gdpr/mod.ts";
import { startHousekeeping } from "./actors/housekeeping.ts";
import { createActors } from "./actors/mod.ts";
import { startWorker } from "./actors/runtime/worker.ts";
import { createAdmission } from "./auth/callers.ts";
import { callerProof, openAuth } from "./auth/mod.ts";
import { refuseFaultyDeno } from "./config/deno_version.ts";
import { openKeys } from "./config/keys.ts";
import { configureLogging } from "./config/logging.ts";
import { type Config, readConfig } from "./config/mod.ts";
import { readPeerAccess } from "./config/peer_access.ts";
import { readVault } from "./config/vault.ts";
import { openPool, type Sql } from "./db/connect.ts";
import { createRequestLookups } from "./db/gdpr_lookups.ts";
import { createLookups } from "./db/lookups.ts";
import { meterPools, meterWork } from "./db/meter.ts";
import { createReadiness, watchReadiness } from "./db/readiness.ts";
import { createNotifier, listen } from "./db/work.ts";
import { loadDemoData } from "./demo/data.ts";
import { deliveringSink } from "./demo/delivering_sink.ts";
import { consoleSink } from "./events/console_sink.ts";
import { kafkaSink } from "./events/kafka_sink.ts";
import { startRelay } from "./events/relay.ts";
import { watchMemory } from "./events/stale_memory.ts";
import { watchLoad } from "./door/overload.ts";
import { introduce, openDemoPeers, openSignInLink } from "./development.ts";
import { createHttp } from "./http.ts";
import { exitOnUncaught, untilTold } from "./lifetime.ts";
import { createMethods } from "./rpc/methods.ts";
import { createPeers } from "./rpc/peers.ts";
import { serveGrpc } from "./rpc/server.ts";
import { explain, openDatabase, readCertificates, serveHttp } from "./start.ts";
import { CANNOT_START, isWorker, supervise, untilOrphaned } from "./supervisor.ts";
import { watchExports } from "./telemetry/exports.ts";
import { keepUrlsOut } from "./telemetry/http.ts";

export interface Service extends AsyncDisposable {
  httpPort: number;
  grpcPort: number;
}

/**
 * Starts everything, or nothing. It ends by telling everybody to go elsewhere, then with the edges: what they have
 * accepted is finished by the rest.
 */
export async function start(config: Config): Promise<Service> {
  await using stack = new AsyncDisposableStack();
  await using edges = new AsyncDisposableStack();
  keepUrlsOut();
  const database = await openDatabase(config, stack);
  const close = (sql: Sql) => sql.end({ timeout: 5 }); // seconds, for a database that keeps silent
  const api = stack.adopt(openPool(database.url, "customer_api", config.databasePoolSize), close);
  const reader = stack.adopt(openPool(database.url, "customer_reader", 4), close);
  const work = stack.adopt(openPool(database.url, "customer_worker", 8), close);

  stack.use(meterPools({ customer_api: api, customer_reader: reader, customer_worker: work }));
  stack.use(meterWork(work));

  const keys = await openKeys(config.gdpr.keys, config.dataDirectory);
  const peerAccess = await readPeerAccess(config.gdpr.peerAccess);
  const requests = createRequestSettings(config.gdpr, keys);
  const actors = createActors(api, { requests, committed: createNotifier(api) });
  const lookups = createLookups(reader);
  const requestLookups = createRequestLookups(reader);
  const auth = await openAuth(config.auth, config.dataDirectory);

  const [ending, closing] = [new AbortController(), new AbortController()];
  const ready = await createReadiness(reader, ending.signal);
  const load = edges.use(watchLoad());
  const rpc = edges.adopt(
    await serveGrpc({
      bind: config.bind,
      port: config.grpcPort,
      shared: config.workers > 1,
      tls: await readCertificates(config.grpcTls),
      admit: createAdmission({
        ...callerProof(config.grpcAuth, auth),
        callers: config.grpcCallers,
      }),
      methods: createMethods({ lookups, requests: requestLookups, actors }),
      enter: load.places("calls", config.grpcMaxInFlight).enter,
    }),
    (server) => server.close(),
  );
  edges.use(watchReadiness(ready, (answer) => rpc.setServing(answer && !ending.signal.aborted)));

  const development = await openSignInLink(config);
  const { app, inspector } = await createHttp(config, {
    pools: { api, reader },
    keys,
    actors,
    lookups,
    requestLookups,
    auth,
    ready,
    places: load.places("requests", config.maxInFlight),
    ending: ending.signal,
    closing: closing.signal,
    development,
  });
  const http = edges.adopt(serveHttp(config, app), (server) => server.close());

  const demo = await openDemoPeers(config, rpc.port, stack);
  const published = config.kafka ? kafkaSink(config.kafka, config.eventFormat) : consoleSink();
  const sink = stack.use(demo && !config.kafka ? deliveringSink(published, demo.deliver) : published);
  const relay = stack.use(startRelay(work, sink));
  const peerUrls = demo?.urls ?? new Map(Object.entries(config.gdpr.peers));
  const peers = stack.use(createPeers(peerUrls, peerAccess));
  const performers: Readonly<Record<EffectType, Performer>> = {
    "memberships.end": endMemberships,
    ...createRequestPerformers(api, peers, keys),
  };
  const worker = stack.use(startWorker({ sql: work, api, actors, performers }));
  const tidy = stack.adopt(openPool(database.url, "customer_worker", 1, {}), close); // it takes its time
  stack.use(startHousekeeping(tidy));
  if (config.kafka) stack.use(watchMemory(work, config.kafka));
  stack.use(await listen(work, () => [relay, worker, inspector].forEach((loop) => loop.wake())));

  const ports = { httpPort: http.port, grpcPort: rpc.port };
  if (database.embedded) await loadDemoData(actors, lookups);
  await introduce(config, { ...ports, signInCode: development?.code }, database.description);
  const [doors, house] = [edges.move(), stack.move()];
  return {
    ...ports,
    async [Symbol.asyncDispose]() {
      ending.abort();
      rpc.setServing(false);
      await pause(config.shutdownDelayMs);
      closing.abort();
      inspector.close(); // what is followed there would never come to an end
      await Promise.all([http.close(), rpc.close()]);
      await doors.disposeAsync();
      await house.disposeAsync();
    },
  };
}

/** Runs the service until it is told to end, and gives the exit code. */
async function main(): Promise<number> {
  try {
    refuseFaultyDeno(Deno.version.deno);
    const env = Deno.env.toObject();
    await using _log = await configureLogging(env.DENO_ENV === "production");
    exitOnUncaught();
    const log = getLogger(["customer-service"]);
    const vault = await readVault(env, { tell: (text) => log.info(text) });
    const config = readConfig({ ...env, ...vault });
    const traced = "OTEL_EXPORTER_OTLP_ENDPOINT" in vault; // too late for this process: Deno reads it at its start
    if (!isWorker() && (config.workers > 1 || traced)) {
      return await supervise({ ...(traced && { OTEL_DENO: "true" }), ...env, ...vault }, config);
    }
    if (config.production) await Deno.permissions.revoke({ name: "run" }); // only a parent needs it
    // from now on: a start that is cut short would leave the embedded database running
    const told = untilTold(config.shutdownDelayMs, isWorker() ? untilOrphaned() : undefined);
    const service = await start(config);
    await told;
    await service[Symbol.asyncDispose]();
    getLogger(["customer-service"]).info("Stopped");
    return 0;
  } catch (error) {
    // deno-lint-ignore no-console -- the log may not be there yet
    console.error(explain(error));
    return isWorker() ? CANNOT_START : 1;
  }
}

if (import.meta.main) {
  const untilFree = watchExports(Deno.env.get("OTEL_METRIC_EXPORT_INTERVAL"));
  const code = await main();
  await untilFree();
  Deno.exit(code);
}
