/**
 * Development replacements for the platform: demo participants, a sign-in link, a gateway, and calls to paste.
 * Production loads none of their modules.
 */
import type { Hono } from "@hono/hono";
import { getLogger } from "@logtape/logtape";
import { type Principal, systemPrincipal } from "./domain/principal.ts";
import type { DevelopmentIssuer } from "./auth/development_issuer.ts";
import type { KafkaAccess } from "./config/kafka_access.ts";
import type { Config } from "./config/mod.ts";
import type { RequestSettings } from "./actors/gdpr/requests/behavior.ts";
import type { Sql } from "./db/connect.ts";
import type { Lookups } from "./db/lookups.ts";
import type { HistoryOptions } from "./demo/history.ts";
import { DEMO } from "./demo/ids.ts";
import type { HashKeys } from "./lib/hash_keys.ts";
import type { OpenDatabase } from "./database.ts";
import { isWorker } from "./supervisor.ts";

/** Starts the demo participants, in development if no others are configured. */
export async function openDemoPeers(
  config: Config,
  { kafka, grpcPort, hashKeys }: { kafka: KafkaAccess | undefined; grpcPort: number; hashKeys: HashKeys },
  stack: AsyncDisposableStack,
) {
  if (!hasDemoPeers(config)) return undefined;
  const { bind, dataDirectory } = config;
  const { startDemoPeers } = await import("./demo/peers/mod.ts");
  const issuer = await openIssuer(dataDirectory);
  const token = (service: string, storeId: string) =>
    issuer.sign({ principal: systemPrincipal(storeId), service }, 60);
  const host = bind === "0.0.0.0" ? "127.0.0.1" : bind;
  const confirm = { address: `${host}:${grpcPort}`, token };
  const emailKeys = hashKeys.map(({ id, participants }) => ({ id, key: participants }));
  return stack.use(await startDemoPeers({ kafka, confirm, emailKeys }));
}

function hasDemoPeers({ auth, gdpr, grpcAuth, production }: Config): boolean {
  const speaksTokens = auth.tokens?.from === "development" && grpcAuth.mode === "token";
  return !production && speaksTokens && Object.keys(gdpr.peers).length === 0;
}

/** Public keys with which participants sign confirmations, those of the demo participants included if they run. */
export async function readPeerKeys(config: Config): Promise<Config["gdpr"]["peerKeys"]> {
  if (!hasDemoPeers(config)) return config.gdpr.peerKeys;
  const { demoPublicKeys } = await import("./demo/peers/signing_keys.ts");
  return { ...config.gdpr.peerKeys, ...await demoPublicKeys() };
}

/**
 * Creates missing demo data, without requests.
 *
 * @returns the rest of the demo data, if the store is new: plays its history, which takes seconds
 */
export async function addDemoData(
  { api, requests, lookups }: { api: Sql; requests: RequestSettings; lookups: Lookups },
): Promise<((options: Omit<HistoryOptions, "api">) => Promise<void>) | undefined> {
  const [{ loadDemoData }, { openPast, playHistory }] = await Promise.all([
    import("./demo/data.ts"),
    import("./demo/history.ts"),
  ]);
  const past = openPast(api, requests);
  if (!await loadDemoData(past.actors, lookups)) return undefined;
  return (options) => playHistory(past, { api, ...options });
}

const HOUR_S = 60 * 60;

const isLoopback = (bind: string) => bind === "localhost" || bind === "::1" || bind.startsWith("127.");

/** Creates a sign-in link to the inspector, in development only. It is valid while this process runs. */
export async function openSignInLink({ auth, bind, databaseUrl, dataDirectory, production }: Config) {
  if (production || auth.mode !== "jwt" || auth.tokens.from !== "development") return undefined;
  const issuer = await openIssuer(dataDirectory);
  const { staffId: id, storeId } = DEMO;
  const principal = { id, type: "STAFF", storeId, roles: ["STORE_MANAGER"] } as const;
  return {
    code: crypto.randomUUID(),
    token: () => issuer.sign({ principal, service: undefined }, 8 * 60 * 60),
    /** Undefined where the demo data are missing, or where others than this machine reach the service. */
    demoTokens: databaseUrl === undefined && isLoopback(bind) ? createDemoTokens(issuer) : undefined,
  };
}

/** Tokens with which the pages for trying the interfaces open. */
export interface DemoTokens {
  /** The demo shopper, who has just signed in, for GraphiQL. */
  shopper(): Promise<string>;
  /** Support of the demo store, who may read customers and change nothing, for the viewer of the REST contract. */
  support(): Promise<string>;
}

function createDemoTokens(issuer: DevelopmentIssuer): DemoTokens {
  const { customerId, staffId, storeId } = DEMO;
  const sign = (principal: Principal) => issuer.sign({ principal, service: undefined }, HOUR_S);
  return {
    shopper: () =>
      sign({ id: customerId, type: "CUSTOMER", storeId, roles: [], authenticatedAt: new Date() }),
    support: () => sign({ id: staffId, type: "STAFF", storeId, roles: ["CUSTOMER_SUPPORT"] }),
  };
}

/** Mounts the development gateway with a sample order-service. */
export async function addGateway(app: Hono): Promise<void> {
  const { createGateway } = await import("./gateway/mod.ts");
  const { createOrders } = await import("./demo/orders.ts");
  const subgraphs = { customer: app.fetch, order: createOrders().fetch };
  const path = "/gateway/graphql";
  app.route(path, await createGateway({ path, subgraphs }));
}

/** Announces that the service is ready; in development with calls to paste. */
export async function introduce(
  config: Config,
  ports: { httpPort: number; grpcPort: number; signInCode: string | undefined },
  database: Pick<OpenDatabase, "description" | "embedded">,
) {
  const { auth, bind, kafka } = config;
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
    : "this console, unless LOG_LEVEL=warning; the rows stay in the table outbox";
  const { tour } = await import("./demo/tour.ts");
  const text = tour({
    bind,
    ...ports,
    database: database.description,
    events,
    hasDemoData: database.embedded,
    variables: variablesOf(config, ports),
  });
  // Not through the console, whose lines Deno may export: the link signs in.
  await new Blob([text, "\n"]).stream().pipeTo(Deno.stdout.writable, { preventClose: true });
}

/** Variables that differ from the defaults and lead a call to this service. */
function variablesOf(
  { bind, dataDirectory }: Config,
  { httpPort, grpcPort }: { httpPort: number; grpcPort: number },
): Record<string, string> {
  const actual = {
    BIND: bind,
    HTTP_PORT: String(httpPort),
    GRPC_PORT: String(grpcPort),
    DATA_DIR: dataDirectory,
  };
  const defaults = { BIND: "127.0.0.1", HTTP_PORT: "4000", GRPC_PORT: "50051", DATA_DIR: ".data" };
  const names = Object.keys(defaults) as (keyof typeof defaults)[];
  return Object.fromEntries(
    names.filter((name) => actual[name] !== defaults[name]).map((name) => [name, actual[name]]),
  );
}

async function openIssuer(dataDirectory: string): Promise<DevelopmentIssuer> {
  const { openDevelopmentIssuer } = await import("./auth/development_issuer.ts");
  return await openDevelopmentIssuer(dataDirectory);
}
