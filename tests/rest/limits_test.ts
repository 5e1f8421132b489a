/** Rate limits over REST across replicas, the limit on bodies, and response headers for browsers. */
import { createAccess } from "./access.ts";
import { Hono } from "@hono/hono";
import assert from "node:assert/strict";
import type { Principal } from "../../domain/principal.ts";
import { createTokenAuthenticator } from "../../auth/principals.ts";
import { createLookups } from "../../db/lookups.ts";
import { deleteExpiredCounts } from "../../db/rate_limit_counts.ts";
import { createRateLimit } from "../../db/rate_limits.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { createBodyReader } from "../../http/body_reader.ts";
import { createHttpApp } from "../../http/mod.ts";
import { BODY_LIMIT, type Limits } from "../../rest/limits.ts";
import { createRest } from "../../rest/mod.ts";
import { createWorld, shopper, type World } from "../actors/world.ts";
import { bearer, createIssuer, serve } from "../graph/server.ts";
import { noLimits } from "./server.ts";

interface Replica {
  get(as: Principal | undefined, headers?: Record<string, string>, path?: string): Promise<Response>;
}

/** Starts two replicas with one database, each with its own limiters. */
async function startReplicas(
  world: World,
  limits: (pool: ReturnType<World["database"]["pool"]>) => Partial<Limits>,
) {
  await using stack = new AsyncDisposableStack();
  const issuer = await createIssuer();
  const shared = await noLimits();
  const replicas: Replica[] = [1, 2].map(() => {
    const reader = world.database.pool("customer_reader");
    const access = createAccess(world.database.pool("customer_api"));
    stack.use(access.refusals);
    const rest = createRest({
      ...access,
      actors: world.actors,
      lookups: createLookups(reader),
      reader: createStoreReader(world.database.pool("customer_api")),
      authenticate: createTokenAuthenticator(issuer.verify),
      exportLink: () => Promise.resolve(undefined),
      limits: { ...shared, ...limits(reader) },
      bodies: createBodyReader({ proxies: 0 }),
      closing: new AbortController().signal,
    });
    const server = stack.adopt(
      serve(createHttpApp({ corsOrigins: [] }).route("/", rest)),
      (server) => server.shutdown(),
    );
    return {
      async get(as, headers = {}, path = `/customers/${crypto.randomUUID()}`) {
        const authorization = as && { authorization: await bearer(issuer, as) };
        const url = `http://127.0.0.1:${server.addr.port}${path}`;
        const response = await fetch(url, { headers: { ...headers, ...authorization } });
        await response.body?.cancel();
        return response;
      },
    };
  });
  const running = stack.move();
  return { replicas: replicas as [Replica, Replica], [Symbol.asyncDispose]: () => running.disposeAsync() };
}

Deno.test("all replicas share the count of a principal's requests, and other principals are not affected", async () => {
  await using world = await createWorld();
  await using started = await startReplicas(world, (reader) => ({
    perPrincipal: createRateLimit(reader, { requests: 4, windowSeconds: 60 }),
  }));
  const [one, two] = started.replicas;
  const { system, staff } = world;
  for (const [index, replica] of [one, two, one, two].entries()) {
    const { status, headers } = await replica.get(system);
    assert.deepEqual([status, headers.get("ratelimit-policy")], [404, '"principal";q=4;w=60']);
    assert.match(
      headers.get("ratelimit") ?? "",
      new RegExp(`^"principal";r=${3 - index};t=([1-9]|[1-5]\\d|60)$`),
    );
  }
  for (const replica of [one, two]) {
    const refused = await replica.get(system);
    assert.equal(refused.status, 429);
    const seconds = Number(refused.headers.get("retry-after"));
    assert.ok(seconds > 0 && seconds <= 60);
    assert.equal(refused.headers.get("ratelimit"), `"principal";r=0;t=${seconds}`);
  }
  assert.equal((await one.get(staff)).status, 404);
  assert.equal((await one.get({ ...system, storeId: crypto.randomUUID() })).status, 404);
});

Deno.test("a request counts once, for a collection path as for the path of one resource", async () => {
  await using world = await createWorld();
  await using started = await startReplicas(world, (reader) => ({
    perPrincipal: createRateLimit(reader, { requests: 2, windowSeconds: 60 }),
    perAddress: createRateLimit(reader, { requests: 3, windowSeconds: 60 }),
  }));
  const [one] = started.replicas;
  for (const path of ["/customers", "/groups", "/gdpr-requests"]) {
    const as = { ...world.system, id: crypto.randomUUID() };
    assert.equal((await one.get(as, {}, path)).status, 200, path);
    assert.equal((await one.get(as, {}, path)).status, 200, path);
    assert.equal((await one.get(as, {}, path)).status, 429, path);
    assert.equal((await one.get(undefined, {}, path)).status, 401, path);
  }
  assert.equal((await one.get(undefined)).status, 429);
});

Deno.test("unauthenticated clients that exhaust the limit of their address do not lock out callers with a token", async () => {
  await using world = await createWorld();
  await using started = await startReplicas(world, (reader) => ({
    perAddress: createRateLimit(reader, { requests: 2, windowSeconds: 60 }),
  }));
  const [one, two] = started.replicas;
  const guess = { authorization: "Bearer a.b.c" };
  assert.deepEqual([(await one.get(undefined)).status, (await two.get(undefined, guess)).status], [401, 401]);
  for (const replica of [one, two]) {
    const refused = await replica.get(undefined, guess);
    assert.equal(refused.status, 429, "guesses of tokens are limited");
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    for (const as of [world.system, world.staff]) {
      for (let at = 0; at < 4; at++) assert.equal((await replica.get(as)).status, 404);
    }
  }
});

Deno.test("a high limit is exact to one percent per replica, with few statements", async () => {
  await using world = await createWorld();
  const limits = [1, 2].map(() =>
    createRateLimit(world.database.pool("customer_reader"), { requests: 1_000, windowSeconds: 60 })
  );
  const key = { storeId: world.storeId, key: "principal" };
  const requests = Array.from({ length: 1_200 }, (_, at) => limits[at % 2]!(key));
  const accepted = (await Promise.all(requests)).filter((seconds) => seconds === undefined).length;
  assert.ok(accepted > 980 && accepted <= 1_000, `${accepted} were accepted`);
});

Deno.test("unauthenticated requests are limited by the address that the outermost trusted proxy has seen", async () => {
  await using world = await createWorld();
  await using started = await startReplicas(world, (reader) => ({
    perAddress: createRateLimit(reader, { requests: 2, windowSeconds: 60 }),
    proxies: 1,
  }));
  const [one, two] = started.replicas;
  const from = (address: string) => ({ "x-forwarded-for": `198.51.100.1, ${address}` });
  const statuses = async (address: string) => {
    const answers = [await one.get(undefined, from(address)), await two.get(undefined, from(address))];
    return [...answers, await one.get(undefined, from(address))].map(({ status }) => status);
  };
  assert.deepEqual(await statuses("203.0.113.7"), [401, 401, 429]);
  assert.deepEqual(await statuses("203.0.113.8"), [401, 401, 429]);
  for (const written of ["::ffff:203.0.113.7", "203.0.113.7:49152"]) {
    assert.equal((await one.get(undefined, from(written))).status, 429, written);
  }
  assert.deepEqual(await statuses("::ffff:203.0.113.9"), [401, 401, 429]);
  assert.deepEqual(await statuses("2001:db8::1"), [401, 401, 429]);
  assert.equal((await one.get(undefined, from("2001:db8:0:0:ffff::2"))).status, 429, "the same network");
  assert.equal((await one.get(undefined, from("2001:db8:0:1::1"))).status, 401);
});

Deno.test("counts contain no address and no ID, and are deleted after their window", async () => {
  await using world = await createWorld();
  await using started = await startReplicas(world, (reader) => ({
    perPrincipal: createRateLimit(reader, { requests: 9, windowSeconds: 60 }),
    perAddress: createRateLimit(reader, { requests: 9, windowSeconds: 60 }),
  }));
  await started.replicas[0].get(world.system);
  await started.replicas[0].get(undefined);
  const rows = await world.admin<{ row: string }[]>`select t::text as row from rate_limits t`;
  assert.equal(rows.length, 2);
  for (const { row } of rows) assert.ok(!row.includes("127.0.0.1") && !row.includes(world.system.id), row);
  const worker = world.database.pool("customer_worker", 1);
  await deleteExpiredCounts(worker, new Date(), 100);
  assert.equal((await world.admin`select 1 from rate_limits`).length, 2);
  await deleteExpiredCounts(worker, new Date(Date.now() + 61_000), 100);
  assert.equal((await world.admin`select 1 from rate_limits`).length, 0);
});

Deno.test("each replica counts on its own without the database", async () => {
  await using world = await createWorld();
  const limit = createRateLimit(world.database.pool("customer_reader"), { requests: 2, windowSeconds: 60 });
  await world.admin`revoke execute on all functions in schema public from customer_reader`;
  const key = { storeId: world.storeId, key: "principal" };
  assert.deepEqual([await limit(key), await limit(key)], [undefined, undefined]);
  assert.ok((await limit(key))! > 0);
});

Deno.test("a body over the limit is refused, with or without a Content-Length", async () => {
  await using world = await createWorld();
  const issuer = await createIssuer();
  const rest = createRest({
    ...createAccess(world.database.pool("customer_api")),
    actors: world.actors,
    lookups: createLookups(world.database.pool("customer_reader")),
    reader: createStoreReader(world.database.pool("customer_api")),
    authenticate: createTokenAuthenticator(issuer.verify),
    exportLink: () => Promise.resolve(undefined),
    limits: await noLimits(),
    bodies: createBodyReader({ proxies: 0 }),
    closing: new AbortController().signal,
  });
  const server = serve(new Hono().route("/", rest));
  const headers = { authorization: await bearer(issuer, world.system), "content-type": "application/json" };
  const body = JSON.stringify({ email: "a@example.com", firstName: "x".repeat(BODY_LIMIT) });
  try {
    for (const sent of [body, new Blob([body]).stream()]) {
      const response = await fetch(`http://127.0.0.1:${server.addr.port}/customers`, {
        method: "POST",
        headers,
        body: sent,
      });
      assert.equal(response.status, 413);
      assert.equal((await response.json()).code, "INVALID_INPUT");
    }
  } finally {
    await server.shutdown();
  }
});

Deno.test("responses must not be cached or framed, and only configured origins may read them", async () => {
  await using world = await createWorld();
  await using started = await startReplicas(world, () => ({}));
  const answer = await started.replicas[0].get(
    shopper({ kind: "customer", storeId: world.storeId, id: world.staff.id }),
    {
      origin: "https://evil.example.com",
    },
  );
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.equal(answer.headers.get("x-frame-options"), "DENY");
  assert.match(answer.headers.get("strict-transport-security") ?? "", /max-age=\d{7}/);

  const app = createHttpApp({ corsOrigins: ["https://admin.example.com"] }).get("/", (c) => c.text("in"));
  const allowed = async (origin: string) =>
    (await app.request("/", { headers: { origin } })).headers.get("access-control-allow-origin");
  assert.equal(await allowed("https://admin.example.com"), "https://admin.example.com");
  assert.equal(await allowed("https://evil.example.com"), null);

  const preflightHeaders = { origin: "https://admin.example.com", "access-control-request-method": "GET" };
  const preflight = await app.request("/", { method: "OPTIONS", headers: preflightHeaders });
  const accepted = preflight.headers.get("access-control-allow-headers")?.split(",") ?? [];
  for (const name of ["idempotency-key", "if-match", "if-none-match"]) {
    assert.ok(accepted.includes(name), name);
  }
});
