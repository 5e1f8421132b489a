/** The inspector on a real socket, before real actors and a real PostgreSQL. */
import { Hono, type MiddlewareHandler } from "@hono/hono";
import { createExportDownloads, exportLink } from "../../actors/gdpr/export_downloads.ts";
import { exportReceipt } from "../../actors/gdpr/receipt.ts";
import type { ActorsOptions } from "../../actors/mod.ts";
import type { Principal, RoleName } from "../../actors/principal.ts";
import { createStoresAuthenticator } from "../../auth/principals.ts";
import { createLookups } from "../../db/lookups.ts";
import { createInspector, type Inspector } from "../../inspect/mod.tsx";
import { createWorld, type World } from "../actors/world.ts";
import { createKeys } from "../gdpr/keys.ts";
import { bearer, createIssuer, serve } from "../graph/server.ts";

export interface TestInspector extends AsyncDisposable {
  world: World;
  origin: string;
  /** With which exports are written, so that the pages can give them out. */
  keys: Awaited<ReturnType<typeof createKeys>>;
  /** A privacy officer of the world's store. */
  officer: Principal;
  /** Staff with some roles; of another store when it is named. */
  staff(roles: RoleName[], storeId?: string): Principal;
  /** A token for the sign-in form; with roles in other stores as well when they are given. */
  token(principal: Principal, elsewhere?: Principal[]): Promise<string>;
  /** Asks for a page with a bearer token, or as nobody; redirections are not followed. */
  get(path: string, as?: Principal, headers?: Record<string, string>): Promise<Response>;
  /** Sends a form of our own pages with a bearer token. */
  post(path: string, as: Principal, fields: Record<string, string>): Promise<Response>;
  wake: Inspector["wake"];
}

/**
 * @param development the code of a sign-in link, which signs the officer in
 * @param admit stands where work is refused while there is too much of it
 */
export async function startInspector(
  { development, admit = (_, next) => next(), count, ...world }: Partial<ActorsOptions> & {
    development?: string;
    admit?: MiddlewareHandler;
    count?: (by: Principal) => Promise<number | undefined>;
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
  const token = (principal: Principal, elsewhere: Principal[] = []) =>
    issuer.sign({ principal, service: undefined, elsewhere }, 600);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const keys = await createKeys();
  const api = started.database.pool("customer_api");
  const inspector = createInspector({
    ...(count && { count }),
    actors: started.actors,
    lookups: createLookups(started.database.pool("customer_reader")),
    sql: api,
    exportLink: (key) => exportLink(api, keys, key),
    downloads: createExportDownloads(api, keys),
    exportReceipt: (key) => exportReceipt(api, key),
    authenticate: createStoresAuthenticator(issuer.verify),
    formKey: await crypto.subtle.generateKey(algorithm, false, ["sign"]) as CryptoKey,
    secure: false,
    admit,
    development: development === undefined ? undefined : { code: development, token: () => token(officer) },
  });
  wake = inspector.wake;
  const server = stack.adopt(
    serve(new Hono().route("/inspect", inspector.app)),
    (server) => server.shutdown(),
  );
  stack.defer(inspector.close);
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const running = stack.move();
  const ask = async (path: string, init: RequestInit, as: Principal | undefined) => {
    const headers = new Headers(init.headers);
    if (as) headers.set("authorization", await bearer(issuer, as));
    if (!headers.has("accept")) headers.set("accept", "text/html");
    return await fetch(`${origin}${path}`, { redirect: "manual", ...init, headers });
  };
  return {
    world: started,
    origin,
    keys,
    officer,
    staff,
    token,
    get: (path, as, headers = {}) => ask(path, { headers }, as),
    post: (path, as, fields) =>
      ask(path, { method: "POST", body: new URLSearchParams(fields), headers: { origin } }, as),
    wake: () => wake(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
