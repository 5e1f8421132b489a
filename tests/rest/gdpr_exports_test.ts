/** Export links over HTTP: authorization, single use of each part, and expiry after a week. */
import { createAccess } from "./access.ts";
import { Hono } from "@hono/hono";
import assert from "node:assert/strict";
import { createExportDownloads, exportLink } from "../../actors/gdpr/exports/downloads.ts";
import { signLink } from "../../actors/gdpr/exports/token.ts";
import { writeStore } from "../../db/connect.ts";
import type { Principal } from "../../domain/principal.ts";
import { createTokenAuthenticator } from "../../auth/principals.ts";
import { deleteExpiredExports, destroyExports } from "../../db/gdpr_exports.ts";
import { createExports } from "../../rest/exports.ts";
import { shopper } from "../actors/world.ts";
import {
  collect,
  createExportKeys,
  createExportWorld,
  DAY_MS,
  documentText,
  type ExportRequest,
  exportStore,
  type ExportWorld,
  insertExportRequest,
  NEVER,
  sha256,
} from "../gdpr/export_fixture.ts";
import { bearer, createIssuer, serve } from "../graph/server.ts";
import type { Limits } from "../../rest/limits.ts";
import { noLimits } from "./server.ts";

interface ExportServer extends AsyncDisposable {
  exports: ExportWorld;
  origin: string;
  /** Sends a request; without a token if the principal is undefined. */
  get(
    path: string,
    as: Principal | undefined,
    init?: RequestInit & { headers?: HeadersInit },
  ): Promise<Response>;
  link(request: ExportRequest): Promise<string>;
}

async function startExports(changes: Partial<Limits> = {}): Promise<ExportServer> {
  await using stack = new AsyncDisposableStack();
  const exports = stack.use(await createExportWorld());
  const issuer = await createIssuer();
  const app = new Hono().route(
    "/exports",
    createExports({
      downloads: createExportDownloads(exports.sql, exports.keys, exports.world.actors, exports.clock),
      authenticate: createTokenAuthenticator(issuer.verify),
      limits: await noLimits(changes),
      refusals: stack.use(createAccess(exports.sql).refusals),
    }),
  );
  const server = stack.adopt(serve(app), (server) => server.shutdown());
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const running = stack.move();
  return {
    exports,
    origin,
    async get(path, as, init = {}) {
      const headers = new Headers(init.headers);
      if (as) headers.set("authorization", await bearer(issuer, as));
      return await fetch(`${origin}${path}`, { ...init, headers });
    },
    async link({ key }) {
      const link = await exportLink(exports.sql, exports.keys, key, exports.now);
      assert.ok(link);
      return link.url;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function compileExport(exports: ExportWorld): Promise<ExportRequest> {
  const request = await insertExportRequest(exports);
  await collect(exports, request);
  await exportStore(exports).compile(request.key, request.description, NEVER);
  return request;
}

const statusOf = async (answer: Promise<Response>) => {
  const response = await answer;
  const text = await response.text();
  return [response.status, response.ok ? undefined : JSON.parse(text).code];
};

const GONE = [410, "REFUSED_IN_STATE"];
const NOT_FOUND = [404, "NOT_FOUND"];

Deno.test("the subject lists the parts any number of times, and downloads every part once", async () => {
  await using server = await startExports();
  const { exports } = server;
  const request = await compileExport(exports);
  const as = shopper(request.customer);
  const link = await exportLink(exports.sql, exports.keys, request.key, exports.now);
  assert.ok(link);
  assert.equal(link.expiresAt.getTime(), exports.now.getTime() + 7 * DAY_MS);
  assert.ok(!link.url.includes(request.customer.id.slice(0, 8)));

  for (let round = 0; round < 3; round++) {
    const response = await server.get(link.url, as);
    const listing = await response.json();
    assert.equal(listing.expiresAt, link.expiresAt.toISOString());
    assert.deepEqual(listing.parts.map((part: { name: string }) => part.name), [
      "access.html",
      "access.json",
      "manifest.json",
    ]);
    assert.equal(listing.parts[2].sha256, link.sha256);
  }
  const { parts } = await (await server.get(link.url, as)).json();
  for (const { name, href, bytes, sha256: hash, mediaType } of parts) {
    assert.deepEqual(await statusOf(server.get(href, as, { method: "HEAD" })), [200, undefined]);
    const response = await server.get(href, as);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), mediaType);
    assert.equal(response.headers.get("content-disposition"), `attachment; filename="${name}"`);
    const body = await response.bytes();
    assert.deepEqual([body.byteLength, await sha256(body)], [bytes, hash]);
    assert.equal(new TextDecoder().decode(body), await documentText(exports, request, name));
    assert.deepEqual(await statusOf(server.get(href, as)), GONE);
    assert.deepEqual(
      await statusOf(server.get(href, as, { headers: { "accept-encoding": "identity" } })),
      GONE,
    );
  }
  assert.equal((await (await server.get(link.url, as)).json()).parts.length, 3);
});

Deno.test("a new link returns a part again, and each link returns it once", async () => {
  await using server = await startExports();
  const request = await compileExport(server.exports);
  const as = shopper(request.customer);
  const first = await server.link(request);
  assert.equal(await server.link(request), first);
  assert.deepEqual(await statusOf(server.get(`${first}/access.html`, as)), [200, undefined]);
  const second = await server.link(request);
  assert.notEqual(second, first);
  assert.deepEqual(await statusOf(server.get(`${first}/access.html`, as)), GONE);
  assert.deepEqual(await statusOf(server.get(`${second}/access.html`, as)), [200, undefined]);
  assert.deepEqual(await statusOf(server.get(`${second}/access.html`, as)), GONE);
  assert.deepEqual(await statusOf(server.get(`${second}/access.json`, as)), [200, undefined]);
  assert.deepEqual(await statusOf(server.get(`${first}/access.json`, as)), GONE);
});

Deno.test("exactly one of 20 concurrent downloads succeeds", async () => {
  await using server = await startExports();
  const request = await compileExport(server.exports);
  const path = `${await server.link(request)}/access.json`;
  const statuses = await Promise.all(
    Array.from({ length: 20 }, () => statusOf(server.get(path, shopper(request.customer)))),
  );
  assert.equal(statuses.filter(([status]) => status === 200).length, 1);
  assert.deepEqual(statuses.filter(([status]) => status !== 200), Array(19).fill(GONE));
});

Deno.test("a part is sent gzipped or decompressed as the client accepts it, and is never cached", async () => {
  await using server = await startExports();
  const request = await compileExport(server.exports);
  const path = `${await server.link(request)}/access.json`;
  const as = shopper(request.customer);
  const expected: [accept: string, encoding: string | null][] = [
    ["gzip", "gzip"],
    ["br, gzip;q=0.5", "gzip"],
    ["identity", null],
    ["gzip;q=0", null],
    ["identity, gzip;q=0.2", null],
  ];
  for (const [accept, encoding] of expected) {
    const response = await server.get(path, as, { method: "HEAD", headers: { "accept-encoding": accept } });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-encoding"), encoding, accept);
    assert.equal(response.headers.get("vary"), "accept-encoding");
  }
  const plain = await server.get(path, as, { headers: { "accept-encoding": "identity" } });
  assert.equal(plain.headers.get("content-encoding"), null);
  assert.equal(await plain.text(), await documentText(server.exports, request, "access.json"));

  const again = await server.get(path, as);
  const listing = await server.get(await server.link(request), as);
  for (const response of [plain, again, listing]) {
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.match(response.headers.get("content-security-policy") ?? "", /^default-src 'none'; /);
    assert.equal(response.headers.get("referrer-policy"), "no-referrer");
    if (!response.bodyUsed) await response.bytes();
  }
});

Deno.test("a browser receives the parts as a page of links", async () => {
  await using server = await startExports();
  const request = await compileExport(server.exports);
  const link = await server.link(request);
  const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  const response = await server.get(link, shopper(request.customer), { headers: { accept } });
  assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
  const page = await response.text();
  assert.deepEqual([...page.matchAll(/href="([^"]*)"/g)].map(([, href]) => href), [
    `${link}/access.html`,
    `${link}/access.json`,
    `${link}/manifest.json`,
  ]);
});

Deno.test("only the subject and the store's privacy officers and managers receive an export", async () => {
  await using server = await startExports();
  const { exports } = server;
  const request = await compileExport(exports);
  const { storeId } = request.key;
  const link = await server.link(request);
  const other = await compileExport(exports);
  const staff = (roles: Principal["roles"], store: string = storeId): Principal => ({
    id: crypto.randomUUID(),
    type: "STAFF",
    storeId: store,
    roles,
  });
  const others: Principal[] = [
    shopper(other.customer),
    { ...shopper(request.customer), storeId: crypto.randomUUID() },
    staff([]),
    staff(["CUSTOMER_SUPPORT", "CUSTOMER_MANAGER"]),
    staff(["PRIVACY_OFFICER", "STORE_MANAGER"], crypto.randomUUID()),
    { ...staff(["PRIVACY_OFFICER"]), type: "SYSTEM" },
    { ...staff([]), id: request.customer.id },
    { ...staff([]), id: request.customer.id, type: "SYSTEM" },
  ];
  for (const [at, principal] of others.entries()) {
    for (const path of [link, `${link}/access.json`]) {
      assert.deepEqual(await statusOf(server.get(path, principal)), NOT_FOUND, `principal ${at}`);
    }
  }
  const unknown = await server.get(link, undefined);
  assert.equal(unknown.headers.get("www-authenticate"), "Bearer");
  assert.equal(unknown.headers.get("cache-control"), "no-store");
  assert.deepEqual([unknown.status, (await unknown.json()).code], [401, "UNAUTHENTICATED"]);

  assert.deepEqual(await statusOf(server.get(link, staff(["STORE_MANAGER"]))), [200, undefined]);
  // The documents contain the values that are hidden from an officer without a role that reads customers.
  const officer = await server.get(`${link}/access.json`, staff(["PRIVACY_OFFICER"]));
  assert.equal(officer.status, 403);
  assert.match(
    (await officer.json()).message,
    /require the role CUSTOMER_SUPPORT or CUSTOMER_MANAGER or STORE_MANAGER/,
  );
  const reading = staff(["PRIVACY_OFFICER", "CUSTOMER_SUPPORT"]);
  assert.deepEqual(await statusOf(server.get(`${link}/access.json`, reading)), [200, undefined]);
  const recorded = await exports.world.admin`
    select sequence, event_type, about, state_before = state_after as same, principal_id from actor_events
    where actor_id = ${request.key.requestId} and event_type = 'export.downloaded'`;
  assert.deepEqual([...recorded].map(({ sequence: _, ...row }) => row), [
    { eventType: "export.downloaded", about: "access.json", same: true, principalId: reading.id },
  ]);
  const [row] = await exports.world.admin`
    select version from gdpr_requests where request_id = ${request.key.requestId}`;
  assert.equal(row?.version, recorded[0]?.sequence);
  const audited = await exports.world.admin`
    select payload -> 'actor' as actor, payload -> 'target' as target, payload ->> 'customerId' as customer_id
    from outbox where payload ->> 'action' = 'GDPR_EXPORT_DOWNLOADED'`;
  assert.deepEqual([...audited], [{
    actor: { id: reading.id, type: "STAFF", roles: ["CUSTOMER_SUPPORT", "PRIVACY_OFFICER"] },
    target: { type: "gdpr_request", id: request.key.requestId },
    customerId: request.customer.id,
  }]);
  assert.deepEqual(await statusOf(server.get(`${link}/access.json`, shopper(request.customer))), GONE);
});

Deno.test("forged tokens, and tokens for other exports, are not found", async () => {
  await using server = await startExports();
  const { exports } = server;
  const [request, open] = [await compileExport(exports), await insertExportRequest(exports)];
  const as = shopper(request.customer);
  const token = (await server.link(request)).slice("/exports/".length);
  const flip = (at: number) => `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
  const sign = signLink.bind(undefined, exports.keys.linkKey);
  const forged = [
    ...Array.from({ length: token.length - 1 }, (_, at) => flip(at)),
    token.slice(0, -1),
    `${token}A`,
    `${token}=`,
    token.toLowerCase(),
    "x",
    "%00",
    await signLink((await createExportKeys()).linkKey, { ...request.key, generation: 1 }),
    await sign({ ...request.key, storeId: crypto.randomUUID(), generation: 1 }),
    await sign({ ...request.key, requestId: crypto.randomUUID(), generation: 1 }),
  ];
  for (const wrong of forged) {
    assert.deepEqual(await statusOf(server.get(`/exports/${wrong}/access.json`, as)), NOT_FOUND, wrong);
  }
  for (
    const part of ["portability.json", "source%2forder-service", "access.json%00", "..%2faccess.json", "%27"]
  ) {
    assert.deepEqual(await statusOf(server.get(`/exports/${token}/${part}`, as)), NOT_FOUND, part);
  }
  assert.equal(await exportLink(exports.sql, exports.keys, open.key, exports.now), undefined);
  assert.deepEqual(await statusOf(server.get(`/exports/${token}/access.json`, as)), [200, undefined]);
});

Deno.test("an expired or destroyed export is gone, before and after its rows are deleted", async () => {
  await using server = await startExports();
  const { exports } = server;
  const worker = exports.world.database.pool("customer_worker", 1);
  const [expiring, destroyed] = [await compileExport(exports), await compileExport(exports)];
  const [one, two] = [await server.link(expiring), await server.link(destroyed)];
  await writeStore(exports.sql, destroyed.key.storeId, (tx) => destroyExports(tx, destroyed.key));
  assert.deepEqual(await statusOf(server.get(two, shopper(destroyed.customer))), GONE);
  assert.deepEqual(await statusOf(server.get(`${two}/access.json`, shopper(destroyed.customer))), GONE);
  assert.deepEqual(await statusOf(server.get(two, shopper(expiring.customer))), NOT_FOUND);

  const as = shopper(expiring.customer);
  exports.now = new Date(exports.now.getTime() + 7 * DAY_MS - 1);
  assert.deepEqual(await statusOf(server.get(one, as)), [200, undefined]);
  exports.now = new Date(exports.now.getTime() + 1);
  for (let swept = 0; swept < 2; swept++) {
    assert.deepEqual(await statusOf(server.get(one, as)), GONE);
    assert.deepEqual(await statusOf(server.get(`${one}/access.json`, as)), GONE);
    assert.equal(await exportLink(exports.sql, exports.keys, expiring.key, exports.now), undefined);
    await deleteExpiredExports(worker, exports.now, 100);
  }
});

Deno.test("a principal's requests for exports are rate-limited", async () => {
  await using server = await startExports({ perPrincipal: () => Promise.resolve(7) });
  const request = await compileExport(server.exports);
  const refused = await server.get(await server.link(request), shopper(request.customer));
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "7"]);
  await refused.body?.cancel();
});

Deno.test("a corrupt part fails, and does not use up the link if its first chunk cannot be read", async () => {
  await using server = await startExports();
  const { exports: { admin }, exports } = server;
  const request = await compileExport(exports);
  const as = shopper(request.customer);
  const damage = (chunk: number) =>
    admin`update gdpr_exports set bytes = set_byte(bytes, 20, get_byte(bytes, 20) # 1)
      where request_id = ${request.key.requestId} and part = 'access.html' and chunk = ${chunk}`;
  await damage(0);
  const path = `${await server.link(request)}/access.html`;
  assert.deepEqual(await statusOf(server.get(path, as)), [500, "INTERNAL_SERVER_ERROR"]);
  await damage(0);
  await damage(1);
  const response = await server.get(path, as);
  assert.equal(response.status, 200);
  await assert.rejects(response.bytes());
});
