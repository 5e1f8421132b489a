/** The composition root: reads the configuration, opens each part once, and closes them in reverse. */
import { setTimeout as pause } from "node:timers/promises";
import type { Hono } from "@hono/hono";
import { getLogger } from "@logtape/logtape";
import type { Performers } from "./actors/effects.ts";
import { endMemberships } from "./actors/end_memberships.ts";
import { createExportDownloads, exportLink } from "./actors/gdpr/export_downloads.ts";
import { createRequestPerformers, createRequestSettings } from "./actors/gdpr/mod.ts";
import { exportReceipt } from "./actors/gdpr/receipt.ts";
import type { RequestKey } from "./actors/gdpr/vocabulary.ts";
import { startHousekeeping } from "./actors/housekeeping.ts";
import { createActors } from "./actors/mod.ts";
import { systemPrincipal } from "./actors/principal.ts";
import { startWorker } from "./actors/worker.ts";
import { createAdmission } from "./auth/callers.ts";
import { openDevelopmentIssuer } from "./auth/development_issuer.ts";
import { openAuth } from "./auth/mod.ts";
import { refuseBrokenDeno } from "./config/deno_version.ts";
import { openKeys } from "./config/keys.ts";
import { configureLogging } from "./config/logging.ts";
import { type Config, readConfig } from "./config/mod.ts";
import { readVault } from "./config/vault.ts";
import { openPool, type Sql } from "./db/connect.ts";
import { createRequestLookups } from "./db/gdpr_lookups.ts";
import { createLookups } from "./db/lookups.ts";
import { meterPools, meterWork } from "./db/meter.ts";
import { createRateLimit } from "./db/rate_limits.ts";
import { createReadiness, watchReadiness } from "./db/readiness.ts";
import { createNotifier, listen } from "./db/work.ts";
import { loadDemoData } from "./demo/data.ts";
import { DEMO } from "./demo/ids.ts";
import { deliveringSink } from "./demo/delivering_sink.ts";
import { startDemoPeers } from "./demo/peers/mod.ts";
import { tour } from "./demo/tour.ts";
import { consoleSink } from "./events/console_sink.ts";
import { kafkaSink } from "./events/kafka_sink.ts";
import { startRelay } from "./events/relay.ts";
import { watchMemory } from "./events/stale_memory.ts";
import { maskError } from "./graph/errors.ts";
import { createGraph } from "./graph/mod.ts";
import { createDoor } from "./door.ts";
import { createInspector } from "./inspect/mod.tsx";
import { untilTold } from "./lifetime.ts";
import { shedLoad, watchLoad } from "./overload.ts";
import { answerOf } from "./rest/errors.ts";
import { createExports } from "./rest/exports.ts";
import { createHealth } from "./rest/health.ts";
import { createRest } from "./rest/mod.ts";
import { createMethods } from "./rpc/methods.ts";
import { createPeers } from "./rpc/peers.ts";
import { serveGrpc } from "./rpc/server.ts";
import { explain, letGo, openDatabase, readCertificates, serveHttp } from "./start.ts";
import { CANNOT_START, isWorker, supervise, untilOrphaned } from "./supervisor.ts";
import { watchExports } from "./telemetry/exports.ts";
import { keepUrlsOut, nameRoutes } from "./telemetry/http.ts";

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
  const requests = createRequestSettings(config.gdpr, keys);
  const actors = createActors(api, { requests, committed: createNotifier(api) });
  const lookups = createLookups(reader);
  const requestLookups = createRequestLookups(reader);
  const auth = await openAuth(config.auth, config.dataDirectory);

  const ending = new AbortController();
  const ready = await createReadiness(reader, ending.signal);
  const load = edges.use(watchLoad(config.maxInFlight));
  const rpc = edges.adopt(
    await serveGrpc({
      bind: config.bind,
      port: config.grpcPort,
      shared: config.workers > 1,
      tls: await readCertificates(config.grpcAuth),
      admit: createAdmission({
        mode: config.grpcAuth.mode,
        callers: config.grpcCallers,
        verifyToken: auth.verifyToken,
      }),
      methods: createMethods({ lookups, requests: requestLookups, actors }),
      enter: load.enter,
    }),
    (server) => server.close(),
  );
  edges.use(watchReadiness(ready, (answer) => rpc.setServing(answer && !ending.signal.aborted)));

  const perMinute = (requests: number) =>
    requests === 0 ? undefined : createRateLimit(reader, { requests, windowSeconds: 60 });
  const limits = {
    perPrincipal: perMinute(config.door.ratePerPrincipal),
    perAddress: perMinute(config.door.ratePerAddress),
    hashKey: keys.hashKey,
    proxies: config.door.trustedProxies,
  };
  const linkTo = (key: RequestKey) => exportLink(api, keys, key);
  const downloads = createExportDownloads(api, keys);
  const development = await openSignInLink(config);
  const inspector = createInspector({
    actors,
    lookups,
    sql: api,
    authenticate: auth.authenticateInStores,
    formKey: keys.linkKey,
    secure: config.production,
    development,
    exportLink: linkTo,
    downloads,
    exportReceipt: (key) => exportReceipt(api, key),
  });
  const app = createDoor(config.door)
    .use(nameRoutes())
    .use(letGo(ending.signal))
    .route("/", createHealth(ready, ending.signal))
    .use("/graphql", shedLoad(load, (error) => ({ errors: [maskError(error)] })))
    .route(
      "/graphql",
      createGraph({
        actors,
        lookups,
        requests: requestLookups,
        exportLink: linkTo,
        authenticate: auth.authenticate,
        production: config.production,
      }),
    )
    .use(shedLoad(load, (error) => answerOf(error).body))
    .route(
      "/exports",
      createExports({ downloads, authenticate: auth.authenticate, limits }),
    )
    .route("/inspect", inspector.app)
    .route(
      "/",
      createRest({ actors, lookups, sql: api, authenticate: auth.authenticate, exportLink: linkTo, limits }),
    );
  if (!config.production) await addGateway(app);
  const http = edges.adopt(serveHttp(config, app), (server) => server.close());
  edges.defer(inspector.close);

  const demo = await openDemoPeers(config, rpc.port, stack);
  const published = config.kafka ? kafkaSink(config.kafka, config.eventFormat) : consoleSink();
  const sink = stack.use(demo && !config.kafka ? deliveringSink(published, demo.deliver) : published);
  const relay = stack.use(startRelay(work, sink));
  const peers = stack.use(createPeers(demo?.urls ?? new Map(Object.entries(config.gdpr.peers))));
  const performers: Performers = {
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
      await Promise.all([http.close(), rpc.close()]);
      await doors.disposeAsync();
      await house.disposeAsync();
    },
  };
}

/** The graph that the router serves elsewhere, with a sample order-service. Production never loads its packages. */
async function addGateway(app: Hono): Promise<void> {
  const { createGateway } = await import("./gateway/mod.ts");
  const { createOrders } = await import("./demo/orders.ts");
  const subgraphs = { customer: app.fetch, order: createOrders().fetch };
  const path = "/gateway/graphql";
  app.route(path, await createGateway({ path, subgraphs }));
}

/** Services that hold data of the demo customers, in development where no others are configured. */
async function openDemoPeers(config: Config, grpcPort: number, stack: AsyncDisposableStack) {
  const { auth, bind, dataDirectory, gdpr, grpcAuth, kafka, production } = config;
  const speaksTokens = auth.tokens?.from === "development" && grpcAuth.mode === "token";
  if (production || !speaksTokens || Object.keys(gdpr.peers).length > 0) return undefined;
  const issuer = await openDevelopmentIssuer(dataDirectory);
  const token = (service: string, storeId: string) =>
    issuer.sign({ principal: systemPrincipal(storeId), service }, 60);
  const host = bind === "0.0.0.0" ? "127.0.0.1" : bind;
  return stack.use(await startDemoPeers({ kafka, confirm: { address: `${host}:${grpcPort}`, token } }));
}

/** A link with which development signs in to the inspector: it works while this process does. */
async function openSignInLink({ auth, dataDirectory, production }: Config) {
  if (production || auth.mode !== "jwt" || auth.tokens.from !== "development") return undefined;
  const issuer = await openDevelopmentIssuer(dataDirectory);
  const { staffId: id, storeId } = DEMO;
  const principal = { id, type: "STAFF", storeId, roles: ["STORE_MANAGER"] } as const;
  return {
    code: crypto.randomUUID(),
    token: () => issuer.sign({ principal, service: undefined }, 8 * 60 * 60),
  };
}

/** Says that the service is up; in development with calls to paste. */
async function introduce(
  config: Config,
  ports: { httpPort: number; grpcPort: number; signInCode: string | undefined },
  database: string,
) {
  const { auth, bind, dataDirectory, kafka } = config;
  if (auth.tokens?.from !== "development" || isWorker()) {
    const { httpPort, grpcPort } = ports;
    getLogger(["customer-service"]).info("Ready: HTTP on port {httpPort}, gRPC on port {grpcPort}", {
      httpPort,
      grpcPort,
    });
    return;
  }
  const events = kafka
    ? `Kafka at ${kafka.brokers.join(", ")}`
    : "this console; they stay in the table outbox";
  const text = await tour({ bind, ...ports, database, events }, await openDevelopmentIssuer(dataDirectory));
  // Not through the console, whose lines Deno may export: the calls carry tokens.
  await new Blob([text, "\n"]).stream().pipeTo(Deno.stdout.writable, { preventClose: true });
}

/** Runs the service until it is told to end, and gives the exit code. */
async function main(): Promise<number> {
  try {
    refuseBrokenDeno(Deno.version.deno);
    const env = Deno.env.toObject();
    await using _log = await configureLogging(env.DENO_ENV === "production");
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
