/** The composition root of the complete service: opens each part once, and closes them in reverse. */
import { pause, succeedsWithin } from "./lib/timeout.ts";
import { getLogger } from "@logtape/logtape";
import type { EffectType } from "./actors/actions.ts";
import type { Performer } from "./actors/commands.ts";
import { startRetention } from "./actors/gdpr/retention.ts";
import { endMemberships } from "./actors/customers/end_memberships.ts";
import { createRequestPerformers, createRequestSettings } from "./actors/gdpr/mod.ts";
import { createNoticeReader } from "./actors/gdpr/notices/read.ts";
import { isProven } from "./actors/gdpr/requests/erasure_proof.ts";
import { startHousekeeping } from "./actors/housekeeping.ts";
import { createAuditLog } from "./actors/audit_log.ts";
import { createActors } from "./actors/mod.ts";
import { createRefusalLog } from "./actors/refusal_log.ts";
import { startWorker } from "./actors/runtime/worker.ts";
import { createAdmission } from "./auth/callers.ts";
import { callerProof, openAuth } from "./auth/mod.ts";
import { openKeys } from "./config/keys.ts";
import { type Config, servicesOf } from "./config/mod.ts";
import { readKafkaAccess } from "./config/kafka_access.ts";
import { readPeerAccess } from "./config/peer_access.ts";
import { startClockCheck } from "./db/clock_check.ts";
import { createRequestLookups } from "./db/gdpr_lookups.ts";
import { createLookups } from "./db/lookups.ts";
import { meterWork } from "./db/meter.ts";
import { meterPools } from "./db/pool_metrics.ts";
import { createReadiness, watchReadiness } from "./db/readiness.ts";
import { createStoreReader } from "./db/store_reader.ts";
import { createNotifier, listen } from "./db/work.ts";
import { deliveringSink } from "./demo/delivering_sink.ts";
import { consoleSink } from "./events/console_sink.ts";
import { kafkaSink } from "./events/kafka_sink.ts";
import { startRelay } from "./events/relay.ts";
import { isRestored, startRestoreCheck } from "./events/restore_check.ts";
import { describeError } from "./lib/error_description.ts";
import { monitorLoad } from "./http/load_shedding.ts";
import { peerVariable } from "./config/variables.ts";
import { addDemoData, introduce, openDemoPeers, openSignInLink, readPeerKeys } from "./development.ts";
import { createHealthApp, createLazyEdges, type Edges } from "./edges.ts";
import type { HttpParts } from "./http.ts";
import { createMethods } from "./rpc/methods.ts";
import { createPeers } from "./rpc/peers.ts";
import { serveGrpc } from "./rpc/server.ts";
import { openNearby } from "./nearby.ts";
import { openDatabase, openPools } from "./database.ts";
import { readCertificates, requireFreePorts, serveHttp, type Service } from "./start.ts";
import { patchSpanPrototype } from "./telemetry/http.ts";

/** How long a start waits to learn whether the database was restored, in milliseconds. Kafka may be unavailable. */
const FIRST_COMPARISON_MS = 5_000;

/** How long parts that stop may wait for a database that does not answer, in milliseconds. */
const SILENT_DATABASE_MS = 8_000;

/**
 * Starts all parts or throws. On disposal it first reports "not ready", then closes the edges, whose accepted requests
 * complete, and then the other parts.
 *
 * @param stopping aborted when the process is to end: a start that waits for the database fails then
 */
export async function start(config: Config, stopping?: AbortSignal): Promise<Service> {
  await using stack = new AsyncDisposableStack();
  await using edges = new AsyncDisposableStack();
  patchSpanPrototype();
  if (config.workers === 1) await requireFreePorts(config); // workers share ports that the supervisor has checked
  const wait = { waitMs: config.databaseWaitMs, stopping };
  const database = await openDatabase(config, stack, wait);
  const pools = await openPools(database, config, stack, wait);
  const { api, reader, work, maintenance, distributed, writes } = pools;
  const lookups = createLookups(reader, distributed);
  const nearby = openNearby(config, { reader, lookups }, stack);
  stack.use(meterPools({
    customer_api: api,
    customer_reader: reader,
    customer_worker: work,
    ...(nearby && { customer_reader_replica: nearby.sql }),
  }));
  stack.use(meterWork(work));
  const clock = stack.use(startClockCheck(reader));

  const keys = await openKeys(config.gdpr.keys, config.dataDirectory);
  const kafka = config.kafka && await readKafkaAccess(config.kafka);
  const peerAccess = await readPeerAccess(config.gdpr.peerAccess);
  const requests = createRequestSettings({ ...config.gdpr, peerKeys: await readPeerKeys(config) }, keys);
  const actors = createActors(api, { requests, committed: createNotifier(api) });
  const requestLookups = createRequestLookups(reader, distributed);
  const auth = await openAuth(config.auth, config.dataDirectory);
  const audit = createAuditLog(api);
  const refusals = stack.use(createRefusalLog(audit));

  const [draining, closing] = [new AbortController(), new AbortController()];
  const restore = stack.use(startRestoreCheck(work, {
    kafka,
    markerFile: config.gdpr.markerFile,
    verify: (subject, proof) => isProven(keys.hashKeys, subject, proof),
  }));
  await succeedsWithin(restore.first, FIRST_COMPARISON_MS); // not ready first and restored later
  const usable = await createReadiness({ writer: api, reader, writes }, draining.signal);
  const ready = async () => !isRestored(restore.state()) && await usable();
  const load = edges.use(monitorLoad());
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
      methods: createMethods({
        lookups,
        nearby: nearby?.lookups,
        requests: requestLookups,
        actors,
        readNotice: createNoticeReader(createStoreReader(api), keys.hashKeys),
      }),
      refusals,
      enter: load.createLimit("calls", config.grpcMaxInFlight).acquire,
    }),
    (server) => server.close(),
  );
  edges.use(watchReadiness(ready, (answer) => rpc.setServing(answer && !draining.signal.aborted)));

  const development = await openSignInLink(config);
  let participantsWithoutUrl: readonly string[] = []; // the demo adds URLs below
  const parts: HttpParts = {
    pools: { api, reader },
    keys,
    actors,
    lookups,
    requestLookups,
    auth,
    audit,
    refusals,
    ready,
    restored: () => isRestored(restore.state()),
    warning: clock.warning,
    concurrency: load.createLimit("requests", config.maxInFlight),
    draining: draining.signal,
    closing: closing.signal,
    development,
    participantsWithoutUrl: () => participantsWithoutUrl,
  };
  const lazy = stack.use(
    createLazyEdges(createHealthApp(config.http, parts), () => load.ignoring(() => loadHttp(config, parts))),
  );
  const http = edges.adopt(serveHttp(config, lazy), (server) => server.close());

  const demo = await openDemoPeers(config, { kafka, grpcPort: rpc.port, hashKeys: keys.hashKeys }, stack);
  const published = kafka
    ? kafkaSink(kafka, { format: config.eventFormat, source: config.eventSource })
    : consoleSink();
  const sink = stack.use(demo && !kafka ? deliveringSink(published, demo.deliver) : published);
  const peerUrls = demo?.urls ?? new Map(Object.entries(config.gdpr.peers));
  participantsWithoutUrl = config.gdpr.participants.filter((service) => !peerUrls.has(service));
  warnWithoutUrl(participantsWithoutUrl);
  const peers = stack.use(createPeers(peerUrls, peerAccess));
  const performers: Readonly<Record<EffectType, Performer>> = {
    "memberships.end": endMemberships,
    ...createRequestPerformers(api, peers, keys, {
      services: servicesOf(config),
      requiresController: config.production,
    }),
  };
  const working = stack.use(new AsyncDisposableStack());
  const startWork = async () => {
    const relay = working.use(startRelay(work, sink, { distributed }));
    const worker = working.use(startWorker({ sql: work, api, actors, performers, distributed }));
    working.use(startHousekeeping({ sql: maintenance, outboxRetentionMs: config.outboxRetentionMs }));
    working.use(startRetention({ sql: maintenance, api, actors }));
    const notified = database.directUrl === undefined ? work : maintenance;
    working.use(
      await listen(notified, (storeIds) => [relay, worker, lazy].forEach((loop) => loop.wake(storeIds))),
    );
  };

  const ports = { httpPort: http.port, grpcPort: rpc.port };
  const playHistory = database.embedded ? await addDemoData({ api, requests, lookups }) : undefined;
  const settlesEvents = !kafka;
  const started = playHistory && demo
    ? playHistory({ worker: work, keys, settlesEvents, signal: closing.signal })
      .catch((error) => reportHistory(error, closing.signal))
      .then(() => closing.signal.aborted ? undefined : startWork())
    : startWork();
  if (!(playHistory && demo)) await started;
  await introduce(config, { ...ports, signInCode: development?.code }, database);
  lazy.loadSoon();
  const [openEdges, openParts] = [edges.move(), stack.move()];
  return {
    ...ports,
    async [Symbol.asyncDispose]() {
      draining.abort();
      rpc.setServing(false);
      await pause(config.shutdownDelayMs);
      closing.abort();
      lazy.close(); // event streams never end by themselves
      await Promise.all([http.close(), rpc.close()]);
      await started; // the work may not have started yet
      await openEdges.disposeAsync();
      using _limit = pools.cutAfter(SILENT_DATABASE_MS);
      await openParts.disposeAsync();
    },
  };
}

/** Names each participant that access and portability requests wait for in vain. */
function warnWithoutUrl(services: readonly string[]): void {
  for (const service of services) {
    getLogger(["customer-service"]).warn(
      "{service} is a participant without a URL, so access and portability requests wait for it: set {variable}",
      { service, variable: peerVariable(service).name },
    );
  }
}

/** A part of the demo history is as usable as the whole. */
function reportHistory(error: unknown, closing: AbortSignal): void {
  if (closing.aborted) return;
  getLogger(["customer-service", "demo"]).error(
    "Cannot load all demo requests: {reason}; to load them again, stop the service and delete its data folder",
    { reason: describeError(error) },
  );
}

/** Loads the edges one after the other, because other requests wait while a module is evaluated. */
async function loadHttp(config: Config, parts: HttpParts): Promise<Edges> {
  const modules = [
    () => import("./rest/mod.ts"),
    () => import("./graph/mod.ts"),
    () => import("./inspect/mod.tsx"),
  ];
  for (const load of modules) {
    await load();
    await pause(0);
  }
  const { createHttp } = await import("./http.ts");
  return await createHttp(config, parts);
}
