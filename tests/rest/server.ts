/** REST fixture: the API on a real socket, with real actors and a real PostgreSQL. */
import type { Hono, MiddlewareHandler } from "@hono/hono";
import { createExportDownloads, exportLink } from "../../actors/gdpr/exports/downloads.ts";
import type { RequestKeys } from "../../actors/gdpr/mod.ts";
import type { ServiceCallers } from "../../domain/service_rights.ts";
import type { Principal, RoleName } from "../../domain/principal.ts";
import { createTokenAuthenticator } from "../../auth/principals.ts";
import { createLookups } from "../../db/lookups.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { type BodyReader, createBodyReader } from "../../http/body_reader.ts";
import { createHttpApp } from "../../http/mod.ts";
import { createExports } from "../../rest/exports.ts";
import { createHealth } from "../../rest/health.ts";
import type { Limits } from "../../rest/limits.ts";
import { createReceipts } from "../../rest/receipts.ts";
import { createRest } from "../../rest/mod.ts";
import { createWorld, type World } from "../actors/world.ts";
import { createKeys } from "../gdpr/keys.ts";
import { bearer, createIssuer, serve } from "../graph/server.ts";
import type { AccessControl } from "../../rest/access_context.ts";
import { createAccess, EVERY_RIGHT } from "./access.ts";

export interface TestRest extends AsyncDisposable {
  world: World;
  /** The app that the socket serves. */
  app: Hono;
  origin: string;
  /** Rights of services, and the logs of accesses and refusals. */
  access: AccessControl;
  /** Keys of the exports that `/exports` serves. */
  keys: RequestKeys & { receiptLinkKeys: CryptoKey[] };
  /** Creates staff with some roles, of the world's store unless another store is named. */
  staff(roles: RoleName[], storeId?: string): Principal;
  /** Sends a request. `as` adds a token; `body` is sent as JSON unless it is text or bytes. */
  call(method: string, path: string, options?: CallOptions): Promise<RestReply>;
  /** Returns the Authorization header for a request that a test sends itself. */
  authorization(as: Principal): Promise<string>;
}

export interface CallOptions {
  as?: Principal;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface RestReply {
  status: number;
  headers: Headers;
  text: string;
  // deno-lint-ignore no-explicit-any -- tests read responses of every shape
  body: any;
}

type RestFixtureOptions = Parameters<typeof createWorld>[0] & {
  /** Aborted when streams have to end. */
  closing?: AbortSignal;
  bodies?: BodyReader;
  limits?: Partial<Limits>;
  /** Middleware before all routes. */
  admit?: MiddlewareHandler;
  /** Services with each right; the world's service has all by default. */
  serviceCallers?: ServiceCallers;
};

/** Returns limits without any rate limit, except those in `changes`. */
export async function noLimits(changes: Partial<Limits> = {}): Promise<Limits> {
  const { digestKey: hashKey } = await createKeys();
  return { perPrincipal: undefined, perAddress: undefined, hashKey, proxies: 0, ...changes };
}

export async function startRest(
  {
    closing = new AbortController().signal,
    bodies = createBodyReader({ proxies: 0 }),
    limits: changes = {},
    admit = (_, next) => next(),
    serviceCallers = EVERY_RIGHT,
    ...options
  }: RestFixtureOptions = {},
): Promise<TestRest> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await createWorld(options));
  const issuer = await createIssuer();
  const keys = await createKeys();
  const sql = world.database.pool("customer_api");
  const authenticate = createTokenAuthenticator(issuer.verify);
  const limits = await noLimits(changes);
  const access = { ...createAccess(sql), serviceCallers };
  const { refusals } = access;
  stack.use(refusals);
  const rest = createRest({
    ...access,
    actors: world.actors,
    lookups: createLookups(world.database.pool("customer_reader")),
    reader: createStoreReader(sql),
    authenticate,
    exportLink: (key) => exportLink(sql, keys, key),
    limits,
    bodies,
    closing,
  });
  const exports = createExports({
    downloads: createExportDownloads(sql, keys, world.actors),
    authenticate,
    limits,
    refusals,
  });
  const receipts = createReceipts({
    reader: createStoreReader(sql),
    receiptLinkKeys: keys.receiptLinkKeys,
    limits,
  });
  const app = createHttpApp({ corsOrigins: [] }).use(admit)
    .route("/", createHealth(() => Promise.resolve(true)))
    .route("/exports", exports)
    .route("/receipts", receipts)
    .route("/", rest);
  const server = stack.adopt(serve(app), (server) => server.shutdown());
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const running = stack.move();
  return {
    world,
    app,
    origin,
    access,
    keys,
    staff: (roles, storeId = world.storeId) => ({ id: crypto.randomUUID(), type: "STAFF", storeId, roles }),
    async call(method, path, { as, body, headers: extraHeaders } = {}) {
      const headers = new Headers(extraHeaders);
      if (as) headers.set("authorization", await bearer(issuer, as));
      if (body !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
      const payload = body === undefined
        ? null
        : typeof body === "string" || body instanceof Uint8Array
        ? body as BodyInit
        : JSON.stringify(body);
      const response = await fetch(`${origin}${path}`, { method, headers, body: payload });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.startsWith("application/json") && text !== "";
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson ? JSON.parse(text) : undefined,
      };
    },
    authorization: (as) => bearer(issuer, as),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
