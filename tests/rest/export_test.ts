/** The export of customers: whole, filtered, for managers, and no faster than it is read. */
import assert from "node:assert/strict";
import { Hono } from "@hono/hono";
import { createTokenAuthenticator } from "../../auth/principals.ts";
import type { Sql } from "../../db/connect.ts";
import { createStoreReader, type StoreReader } from "../../db/store_reader.ts";
import { authenticated, createApi } from "../../rest/api.ts";
import { addExportRoutes } from "../../rest/customers/export.ts";
import { answerOf } from "../../rest/errors.ts";
import type { RestOptions } from "../../rest/options.ts";
import { createWorld, register, shopper, tell, type World } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { bearer, createIssuer, serve } from "../graph/server.ts";
import { startRest } from "./server.ts";

/** More than go out before somebody reads. */
const MANY = 30_000;

Deno.test("an export has every customer of the filter once, as each is shown alone, and nobody else's", async () => {
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

Deno.test("whoever reads single customers does not export them all", async () => {
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

Deno.test("an export is read no faster than its client takes it, and holds no transaction meanwhile", async () => {
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
  assert.ok(server.pages() < MANY / 500 / 2, `${server.pages()} pages read while nobody takes them`);
  const [row] = await world.admin`
    select count(*)::int as open from pg_stat_activity
    where datname = current_database() and state like 'idle in transaction%'`;
  assert.equal(row?.open, 0);

  await reader.cancel();
  const read = server.pages();
  const again = await server.ask();
  assert.equal((await again.text()).trimEnd().split("\n").length, MANY);
  assert.ok(server.pages() - read <= MANY / 500 + 3, "who has gone is not read for any more");
});

Deno.test("an export that breaks off says so in its last line; one that cannot begin has a status", async () => {
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

Deno.test("an export that is under way when the service ends says so in its last line", async () => {
  await using world = await createWorld();
  await insertMany(world, MANY);
  const closing = new AbortController();
  await using server = await serveExport(world, undefined, closing.signal);
  const response = await server.ask();
  closing.abort();
  const lines = (await response.text()).trimEnd().split("\n");
  assert.ok(lines.length < MANY, `${lines.length} lines`);
  assert.deepEqual(JSON.parse(lines.at(-1)!), {
    error: { code: "UNAVAILABLE", message: "Cannot go on: the service is about to end, ask again" },
  });
});

/** Customers without a history: a test of thousands would take minutes to register them. */
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

/** Only the export, with a count of the pages that it has read. */
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
  const counted: StoreReader = {
    read(...asked) {
      pages++;
      return reader.read(...asked);
    },
  };
  api.use("*", authenticated(createTokenAuthenticator(issuer.verify)));
  api.onError((error, c) => c.json({}, answerOf(error).status));
  addExportRoutes(api, { reader: counted, closing } as RestOptions);
  const server = serve(new Hono().route("/", api));
  return {
    pages: () => pages,
    ask: () => fetch(`http://127.0.0.1:${server.addr.port}/customers/export`, { headers: { authorization } }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
