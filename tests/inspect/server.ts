/** Inspector on a real socket, with real actors and a real PostgreSQL. */
import type { Hono, MiddlewareHandler } from "@hono/hono";
import { createExportDownloads, exportLink } from "../../actors/gdpr/exports/downloads.ts";
import { hashEmail } from "../../actors/gdpr/requests/email_hash.ts";
import { findContact } from "../../actors/gdpr/requests/subject.ts";
import { exportReceipt } from "../../actors/gdpr/receipts/receipt.ts";
import { createAuditLog } from "../../actors/audit_log.ts";
import { createRefusalLog } from "../../actors/refusal_log.ts";
import type { ActorsOptions } from "../../actors/mod.ts";
import type { Principal, RoleName } from "../../domain/principal.ts";
import { createStoresAuthenticator } from "../../auth/principals.ts";
import { createEndedSessions } from "../../db/ended_sessions.ts";
import { createLookups } from "../../db/lookups.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { type BodyReader, createBodyReader } from "../../http/body_reader.ts";
import { createHttpApp } from "../../http/mod.ts";
import { createInspector, type Inspector } from "../../inspect/mod.tsx";
import { PARTICIPANTS } from "../actors/settings.ts";
import { createWorld, type World } from "../actors/world.ts";
import { createKeys } from "../gdpr/keys.ts";
import { bearer, createIssuer, serve } from "../graph/server.ts";

export interface TestInspector extends AsyncDisposable {
  world: World;
  /** The application that the socket serves. */
  app: Hono;
  origin: string;
  /** Encryption keys of exports, with which the pages decrypt them. */
  keys: Awaited<ReturnType<typeof createKeys>>;
  /** Privacy officer of the world's store. */
  officer: Principal;
  /** Staff with these roles; by default of the world's store. */
  staff(roles: RoleName[], storeId?: string): Principal;
  /** Token for the sign-in form. `elsewhere` adds roles in other stores. */
  token(principal: Principal, elsewhere?: Principal[], ttlSeconds?: number): Promise<string>;
  /** Requests a page, with a bearer token if `as` is set. Does not follow redirects. */
  get(path: string, as?: Principal, headers?: Record<string, string>): Promise<Response>;
  /** Submits a form of our pages with a bearer token. */
  post(path: string, as: Principal, fields: Record<string, string>): Promise<Response>;
  /** Another process on the same database. */
  replica(): Promise<Pick<TestInspector, "get"> & AsyncDisposable>;
  wake: Inspector["wake"];
}

/**
 * @param development the code of a sign-in link, which signs the officer in
 * @param secure cookies as in production
 * @param admit middleware in the position of load shedding
 */
export async function startInspector(
  {
    development,
    secure = false,
    admit = (_, next) => next(),
    bodies = createBodyReader({ proxies: 0 }),
    count,
    requiresController = false,
    participantsWithoutUrl = [],
    ...world
  }:
    & Partial<ActorsOptions>
    & {
      development?: string;
      secure?: boolean;
      admit?: MiddlewareHandler;
      bodies?: BodyReader;
      count?: (by: Principal) => Promise<number | undefined>;
      requiresController?: boolean;
      participantsWithoutUrl?: readonly string[];
    } = {},
): Promise<TestInspector> {
  await using stack = new AsyncDisposableStack();
  let wake = () => {};
  const started = stack.use(await createWorld({ ...world, committed: () => wake() }));
  const issuer = await createIssuer();
  const { storeId } = started;
  const staff = (roles: RoleName[], store = storeId): Principal => ({
    id: crypto.randomUUID(),
    type: "STAFF",
    storeId: store,
    roles,
  });
  const officer = staff(["PRIVACY_OFFICER"]);
  const token = (principal: Principal, elsewhere: Principal[] = [], ttlSeconds = 600) =>
    issuer.sign({ principal, service: principal.service, elsewhere }, ttlSeconds);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const keys = await createKeys();
  const api = started.database.pool("customer_api");
  const reader = createStoreReader(api);
  const audit = createAuditLog(api);
  const refusals = stack.use(createRefusalLog(audit));
  const formKey = await crypto.subtle.generateKey(algorithm, false, ["sign"]) as CryptoKey;
  const create = () =>
    createInspector({
      audit,
      refusals,
      ...(count && { count }),
      actors: started.actors,
      lookups: createLookups(started.database.pool("customer_reader")),
      reader,
      exportLink: (key) => exportLink(api, keys, key),
      downloads: createExportDownloads(api, keys, started.actors),
      hashEmail: (email) => hashEmail(keys.hashKeys, email).map(({ hash }) => hash),
      participantsWithoutUrl: () => participantsWithoutUrl,
      exportReceipt: (key) => exportReceipt(reader, key),
      findContact: (guest) => reader.read(guest.storeId, (sql) => findContact(sql, keys.hashKeys, guest)),
      participants: PARTICIPANTS,
      services: { READ_CUSTOMERS: ["identity-service"] },
      requiresController,
      authenticate: createStoresAuthenticator(issuer.verify),
      formKey,
      secure,
      ended: createEndedSessions(api),
      bodies,
      admit,
      development: development === undefined ? undefined : { code: development, token: () => token(officer) },
    });
  const appOf = (inspector: Inspector) => createHttpApp({ corsOrigins: [] }).route("/inspect", inspector.app);
  const listenTo = (inspector: Inspector, stack: AsyncDisposableStack) => {
    const server = stack.adopt(serve(appOf(inspector)), (server) => server.shutdown());
    stack.defer(inspector.close);
    return `http://127.0.0.1:${server.addr.port}`;
  };
  const inspector = create();
  wake = inspector.wake;
  const origin = listenTo(inspector, stack);
  const running = stack.move();
  const send = async (path: string, init: RequestInit, as: Principal | undefined, target = origin) => {
    const headers = new Headers(init.headers);
    if (as) headers.set("authorization", await bearer(issuer, as));
    if (!headers.has("accept")) headers.set("accept", "text/html");
    return await fetch(`${target}${path}`, { redirect: "manual", ...init, headers });
  };
  return {
    world: started,
    app: appOf(inspector),
    origin,
    keys,
    officer,
    staff,
    token,
    get: (path, as, headers = {}) => send(path, { headers }, as),
    post: (path, as, fields) =>
      send(path, { method: "POST", body: new URLSearchParams(fields), headers: { origin } }, as),
    // deno-lint-ignore require-await -- starting a process is asynchronous
    async replica() {
      const stack = new AsyncDisposableStack();
      const replicaOrigin = listenTo(create(), stack);
      return {
        get: (path, as, headers = {}) => send(path, { headers }, as, replicaOrigin),
        [Symbol.asyncDispose]: () => stack.disposeAsync(),
      };
    },
    wake: () => wake(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
