/**
 * Development replacements for the platform: demo participants, a sign-in link, a gateway, and calls to paste.
 * Production loads none of their modules.
 */
import type { Hono } from "@hono/hono";
import { getLogger } from "@logtape/logtape";
import { systemPrincipal } from "./domain/principal.ts";
import type { DevelopmentIssuer } from "./auth/development_issuer.ts";
import type { KafkaAccess } from "./config/kafka_access.ts";
import type { Config } from "./config/mod.ts";
import type { Actors } from "./actors/commands.ts";
import type { Lookups } from "./db/lookups.ts";
import { DEMO } from "./demo/ids.ts";
import { isWorker } from "./supervisor.ts";

/** Starts the demo participants, in development if no others are configured. */
export async function openDemoPeers(
  config: Config,
  { kafka, grpcPort }: { kafka: KafkaAccess | undefined; grpcPort: number },
  stack: AsyncDisposableStack,
) {
  if (!hasDemoPeers(config)) return undefined;
  const { bind, dataDirectory } = config;
  const { startDemoPeers } = await import("./demo/peers/mod.ts");
  const issuer = await openIssuer(dataDirectory);
  const token = (service: string, storeId: string) =>
    issuer.sign({ principal: systemPrincipal(storeId), service }, 60);
  const host = bind === "0.0.0.0" ? "127.0.0.1" : bind;
  return stack.use(await startDemoPeers({ kafka, confirm: { address: `${host}:${grpcPort}`, token } }));
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

/** Creates missing demo data. */
export async function addDemoData(actors: Actors, lookups: Lookups): Promise<void> {
  const { loadDemoData } = await import("./demo/data.ts");
  await loadDemoData(actors, lookups);
}

/** Creates a sign-in link to the inspector, in development only. It is valid while this process runs. */
export async function openSignInLink({ auth, dataDirectory, production }: Config) {
  if (production || auth.mode !== "jwt" || auth.tokens.from !== "development") return undefined;
  const issuer = await openIssuer(dataDirectory);
  const { staffId: id, storeId } = DEMO;
  const principal = { id, type: "STAFF", storeId, roles: ["STORE_MANAGER"] } as const;
  return {
    code: crypto.randomUUID(),
    token: () => issuer.sign({ principal, service: undefined }, 8 * 60 * 60),
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
    : "this console; the rows stay in the table outbox";
  const { tour } = await import("./demo/tour.ts");
  const text = await tour({ bind, ...ports, database, events }, await openIssuer(dataDirectory));
  // Not through the console, whose lines Deno may export: the calls carry tokens.
  await new Blob([text, "\n"]).stream().pipeTo(Deno.stdout.writable, { preventClose: true });
}

async function openIssuer(dataDirectory: string): Promise<DevelopmentIssuer> {
  const { openDevelopmentIssuer } = await import("./auth/development_issuer.ts");
  return await openDevelopmentIssuer(dataDirectory);
}
