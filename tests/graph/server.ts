/** Subgraph on a real socket, with real actors and a real PostgreSQL. */
import { Hono } from "@hono/hono";
import { type ExportKeys, exportLink } from "../../actors/gdpr/exports/downloads.ts";
import { receiptLink } from "../../actors/gdpr/receipts/link.ts";
import { createAuditLog } from "../../actors/audit_log.ts";
import { createRefusalLog } from "../../actors/refusal_log.ts";
import type { Principal } from "../../domain/principal.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { type DevelopmentIssuer, openDevelopmentIssuer } from "../../auth/development_issuer.ts";
import { createTokenAuthenticator } from "../../auth/principals.ts";
import { createRequestLookups } from "../../db/gdpr_lookups.ts";
import { createLookups } from "../../db/lookups.ts";
import { type BodyReader, createBodyReader } from "../../http/body_reader.ts";
import { onServeError } from "../../http/serve_errors.ts";
import { createHttpApp } from "../../http/mod.ts";
import type { CountRequest } from "../../graph/admission.ts";
import { createGraph } from "../../graph/mod.ts";
import { createWorld, register, shopper, type World } from "../actors/world.ts";
import { JSON_BODY, post, type Reply } from "./post.ts";

export { JSON_BODY, post, type Reply };

export interface TestGraph extends AsyncDisposable {
  world: World;
  /** Handler that the socket serves. */
  app: Hono;
  url: string;
  issuer: DevelopmentIssuer;
  /** Posts an operation. */
  ask(query: string, options?: AskOptions): Promise<Reply>;
  /** Posts any body. */
  post(body: BodyInit, headers?: Record<string, string>): Promise<Reply>;
}

export interface AskOptions {
  variables?: Record<string, unknown>;
  /** Principal of the token; absent: no token. */
  as?: Principal;
  headers?: Record<string, string>;
}

export interface TestGraphOptions {
  production?: boolean;
  world?: Parameters<typeof createWorld>[0];
  /** Absent: no export exists. */
  exportKeys?: ExportKeys;
  /** Keys of the links to receipts. */
  receiptLinkKeys?: readonly CryptoKey[];
  bodies?: BodyReader;
  count?: CountRequest;
  /** Called for each loaded customer. */
  onLoad?: () => void;
  /** Token with which GraphiQL opens. */
  demoToken?: () => Promise<string>;
}

export async function startGraph(
  {
    production = false,
    world: worldOptions = {},
    exportKeys,
    receiptLinkKeys = [],
    bodies = createBodyReader({ proxies: 0 }),
    count,
    onLoad = () => {},
    demoToken,
  }: TestGraphOptions = {},
): Promise<TestGraph> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await createWorld(worldOptions));
  const issuer = await createIssuer();
  const authenticate = createTokenAuthenticator(issuer.verify);
  const [reader, api] = [world.database.pool("customer_reader"), world.database.pool("customer_api")];
  const lookups = createLookups(reader);
  const refusals = stack.use(createRefusalLog(createAuditLog(api)));
  const graph = createGraph({
    refusals,
    actors: world.actors,
    lookups: {
      ...lookups,
      findCustomer(...asked) {
        onLoad();
        return lookups.findCustomer(...asked);
      },
    },
    requests: createRequestLookups(reader),
    exportLink: async (key) => exportKeys && await exportLink(api, exportKeys, key),
    receiptLink: (key) => receiptLink(receiptLinkKeys, key),
    authenticate,
    bodies,
    production,
    demoToken,
    ...(count && { count }),
  });
  const app = createHttpApp({ corsOrigins: [] }).route("/graphql", graph);
  const server = stack.adopt(serve(app), (server) => server.shutdown());
  const url = `http://127.0.0.1:${server.addr.port}/graphql`;
  const running = stack.move();
  return {
    world,
    app,
    url,
    issuer,
    post: (body, headers = {}) => post(url, body, headers),
    async ask(query, { variables, as, headers } = {}) {
      const token = as ? { authorization: await bearer(issuer, as) } : {};
      return await post(url, JSON.stringify({ query, variables }), { ...JSON_BODY, ...token, ...headers });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Issuer with its own key. */
export async function createIssuer(): Promise<DevelopmentIssuer> {
  const folder = await Deno.makeTempDir({ prefix: "customer-service-issuer-" });
  const issuer = await openDevelopmentIssuer(folder);
  await Deno.remove(folder, { recursive: true });
  return issuer;
}

export function serve(app: Hono): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {}, onError: onServeError }, app.fetch);
}

/** Customer and its principal. */
export async function registerShopper(
  world: World,
  fields: Record<string, unknown> = {},
): Promise<{ ref: ActorRef; as: Principal }> {
  const ref = await register(world, fields);
  return { ref, as: shopper(ref) };
}

export async function bearer(
  issuer: DevelopmentIssuer,
  principal: Principal,
  ttlSeconds = 60,
): Promise<string> {
  return `Bearer ${await issuer.sign({ principal, service: principal.service }, ttlSeconds)}`;
}

/** Every row that a change would write. Audit events of refusals are left out. */
export async function stored({ admin }: World): Promise<unknown> {
  const [everything] = await admin`
    select (select jsonb_agg(c order by customer_id) from customers c) as customers,
      (select jsonb_agg(a order by address_id) from customer_addresses a) as addresses,
      (select count(*)::int from actor_events) as events, (select count(*)::int from outbox where payload ->> 'action' is distinct from 'ACCESS_REFUSED') as outbox,
      (select count(*)::int from idempotency_keys) as keys`;
  return everything;
}
