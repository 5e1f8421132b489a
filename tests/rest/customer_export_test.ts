/** Export of customers: content, filters, authorization, back-pressure and incomplete exports. */
import { withAccess } from "../../rest/access.ts";
import { createAccess } from "./access.ts";
import assert from "node:assert/strict";
import { Hono } from "@hono/hono";
import { createTokenAuthenticator } from "../../auth/principals.ts";
import type { Sql } from "../../db/connect.ts";
import { createStoreReader, type StoreReader } from "../../db/store_reader.ts";
import { authenticated, createApi } from "../../rest/api.ts";
import { addExportRoutes } from "../../rest/customers/export.ts";
import { errorResponse } from "../../rest/errors.ts";
import type { RestOptions } from "../../rest/options.ts";
import { createWorld, register, shopper, tell, type World } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { bearer, createIssuer, serve } from "../graph/server.ts";
import { startRest } from "./server.ts";

/** More than fits into the buffers of a client that does not read. */
const MANY = 30_000;

Deno.test("an export has every customer of the store that matches the filter once, like a read of the customer", async () => {
  await using rest = await startRest();
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  await insertMany(rest.world, 1_234);
  const ada = await register(rest.world, { email: "ada@example.com", firstName: "Ada" });
  await tell(rest.world, ada, "account.suspend");
  await insertMany({ ...rest.world, storeId: crypto.randomUUID() }, 10);

  const all = await rest.call("GET", "/customers/export", { as });
  assert.deepEqual([all.status, all.headers.get("content-type")], [200, "application/x-ndjson"]);
  const lines = all.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(new Set(lines.map(({ customerId }) => customerId)).size, 1_235);
  assert.equal(lines.length, 1_235);
  const alone = await rest.call("GET", `/customers/${ada.id}`, { as });
  assert.deepEqual(lines.filter(({ status }) => status === "SUSPENDED"), [alone.body]);
  const some = await rest.call("GET", "/customers/export?status=SUSPENDED&namePrefix=ad", { as });
  assert.deepEqual(some.text, `${JSON.stringify(alone.body)}\n`);
  const none = await rest.call("GET", "/customers/export?anonymized=true", { as });
  assert.deepEqual([none.status, none.text], [200, ""]);
  const wrong = await rest.call("GET", "/customers/export?limit=5&status=GONE", { as });
  assert.equal(wrong.status, 400);
  assert.match(wrong.body.message, /status must be .*limit is not known/);
});

Deno.test("support reads single customers but does not export them all", async () => {
  await using rest = await startRest();
  const ref = await register(rest.world);
  const status = async (as?: Parameters<typeof rest.call>[2]) =>
    (await rest.call("GET", "/customers/export", as)).status;
  assert.equal(await status(), 401);
  assert.equal(await status({ as: shopper(ref) }), 403);
  assert.equal(await status({ as: rest.staff(["CUSTOMER_SUPPORT"]) }), 403);
  assert.equal(await status({ as: rest.staff(["PRIVACY_OFFICER"]) }), 403);
  assert.equal(await status({ as: rest.staff(["CUSTOMER_MANAGER"]) }), 200);
  assert.equal(await status({ as: rest.world.system }), 200);
  const elsewhere = await rest.call("GET", "/customers/export", {
    as: rest.staff(["STORE_MANAGER"], crypto.randomUUID()),
  });
  assert.deepEqual([elsewhere.status, elsewhere.text], [200, ""]);
});

Deno.test("an export applies back-pressure, and holds no transaction between pages", async () => {
  await using world = await createWorld();
  await insertMany(world, MANY);
  await using server = await serveExport(world);
  const response = await server.ask();
  const reader = response.body!.getReader();
  await reader.read();
  let [last, since] = [0, Date.now()];
  await eventually(() => {
    if (server.pages() !== last) [last, since] = [server.pages(), Date.now()];
    assert.ok(Date.now() - since > 500);
  });
  assert.ok(server.pages() < MANY / 500 / 2, `${server.pages()} pages read while the client does not read`);
  const [row] = await world.admin`
    select count(*)::int as open from pg_stat_activity
    where datname = current_database() and state like 'idle in transaction%'`;
  assert.equal(row?.open, 0);

  await reader.cancel();
  const read = server.pages();
  const again = await server.ask();
  assert.equal((await again.text()).trimEnd().split("\n").length, MANY);
  assert.ok(server.pages() - read <= MANY / 500 + 3, "no more pages are read after a disconnect");
});

Deno.test("an incomplete export ends with an error line, and an export that cannot begin has an error status", async () => {
  await using world = await createWorld();
  await insertMany(world, MANY);
  const sql = world.database.pool("customer_api", 2);
  await using server = await serveExport(world, sql);
  const response = await server.ask();
  await sql.end({ timeout: 0 });
  const lines = (await response.text()).trimEnd().split("\n");
  assert.ok(lines.length < MANY, `${lines.length} lines`);
  assert.deepEqual(JSON.parse(lines.at(-1)!), {
    error: { code: "UNAVAILABLE", message: "The database cannot be reached: try again" },
  });
  const { status } = await server.ask();
  assert.equal(status, 503);
});

Deno.test("an export ends with an error line when the service shuts down", async () => {
  await using world = await createWorld();
  await insertMany(world, MANY);
  const closing = new AbortController();
  await using server = await serveExport(world, undefined, closing.signal);
  const response = await server.ask();
  closing.abort();
  const lines = (await response.text()).trimEnd().split("\n");
  assert.ok(lines.length < MANY, `${lines.length} lines`);
  assert.deepEqual(JSON.parse(lines.at(-1)!), {
    error: { code: "UNAVAILABLE", message: "Cannot continue: the service is shutting down, try again" },
  });
});

/** Inserts customers without a journal, because the registration of thousands would take minutes. */
async function insertMany(
  { admin, storeId }: Pick<World, "admin" | "storeId">,
  count: number,
): Promise<void> {
  await admin`
    insert into customers
      (store_id, customer_id, email, first_name, status, version, created_at, updated_at)
    select ${storeId}, gen_random_uuid(), 'customer' || i || '@example.com', repeat('x', 100), 'ACTIVE', 1,
      now() - (i % 7) * interval '1 day', now()
    from generate_series(1, ${count}::int) i`;
}

/** Serves only the export, and counts the pages that it reads. */
async function serveExport(
  world: World,
  sql: Sql = world.database.pool("customer_api", 2),
  closing = new AbortController().signal,
) {
  const issuer = await createIssuer();
  const authorization = await bearer(issuer, world.system);
  const api = createApi();
  let pages = 0;
  const reader = createStoreReader(sql);
  const countingReader: StoreReader = {
    read(...parameters) {
      pages++;
      return reader.read(...parameters);
    },
  };
  api.use("*", withAccess(createAccess(sql)), authenticated(createTokenAuthenticator(issuer.verify)));
  api.onError((error, c) => c.json({}, errorResponse(error).status));
  addExportRoutes(api, { reader: countingReader, closing } as RestOptions);
  const server = serve(new Hono().route("/", api));
  return {
    pages: () => pages,
    ask: () => fetch(`http://127.0.0.1:${server.addr.port}/customers/export`, { headers: { authorization } }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
