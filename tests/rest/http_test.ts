/** Small print of HTTP: HEAD, content encodings, URLs, queries and bodies that an operation does not have, and headers. */
import assert from "node:assert/strict";
import { createHttpApp, URL_LIMIT } from "../../http/mod.ts";
import { createHealth } from "../../rest/health.ts";
import { register } from "../actors/world.ts";
import { startRest, type TestRest } from "./server.ts";

/** Sends HEAD on a connection of its own, because fetch hides a wrong Content-Length. */
async function head(rest: TestRest, path: string, authorization: string): Promise<string> {
  const { hostname, port } = new URL(rest.origin);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const request = [
    `HEAD ${path} HTTP/1.1`,
    "host: localhost",
    `authorization: ${authorization}`,
    "connection: close",
  ];
  await connection.write(new TextEncoder().encode(`${request.join("\r\n")}\r\n\r\n`));
  return await new Response(connection.readable).text();
}

Deno.test("a URL has at most 8 KiB", async () => {
  await using rest = await startRest();
  const authorization = await rest.authorization(rest.world.system);
  for (const [length, status] of [[URL_LIMIT, 400], [URL_LIMIT + 1, 414]] as const) {
    const url = "http://localhost/customers?email=".padEnd(length, "a");
    const response = await rest.app.request(url, { headers: { authorization } });
    await response.body?.cancel();
    assert.equal(response.status, status);
  }
});

Deno.test("HEAD has the headers of GET, with its Content-Length or none", async () => {
  await using rest = await startRest();
  const { id } = await register(rest.world);
  const { system: as } = rest.world;
  const authorization = await rest.authorization(as);
  for (
    const path of [
      "/customers",
      `/customers/${id}`,
      "/groups",
      "/openapi.json",
      "/docs",
      "/customers/7",
      "/nope",
    ]
  ) {
    const get = await rest.call("GET", path, { as });
    const response = await head(rest, path, authorization);
    const length = new TextEncoder().encode(get.text).length;
    assert.match(response, new RegExp(`^HTTP/1.1 ${get.status} `), path);
    assert.match(response, new RegExp(`\r\ncontent-length: ${length}\r\n`), path);
    assert.ok(response.endsWith("\r\n\r\n"), "no body");
  }
  const streamed = await head(rest, "/customers/export", authorization);
  assert.match(streamed, /^HTTP\/1.1 200 /);
  assert.doesNotMatch(streamed, /content-length/);
});

async function compress(text: string, format: CompressionFormat): Promise<Uint8Array> {
  return await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream(format))).bytes();
}

Deno.test("compressed JSON and bulk bodies are inflated up to their limits, and other encodings are refused", async () => {
  await using rest = await startRest();
  const { system: as } = rest.world;
  let count = 0;
  for (
    const [coding, format] of [["gzip", "gzip"], ["GZIP", "gzip"], ["x-gzip", "gzip"], [
      "deflate",
      "deflate",
    ]] as const
  ) {
    const json = await compress(JSON.stringify({ email: `json${++count}@example.com` }), format);
    const created = await rest.call("POST", "/customers", {
      as,
      body: json,
      headers: {
        "content-encoding": coding,
        "content-type": "application/json",
      },
    });
    assert.equal(created.status, 201, created.text);
    const rows = await compress(`email\nbulk${count}@example.com\n`, format);
    const headers = { "content-encoding": coding, "content-type": "text/csv" };
    assert.match((await rest.call("POST", "/customers/bulk", { as, body: rows, headers })).text, /"CREATED"/);
  }
  const bomb = await compress(`{"email":"${"x".repeat(200_000)}"}`, "gzip");
  const whole = await compress(JSON.stringify({ email: "cut@example.com" }), "gzip");
  const large = await compress("x".repeat(4_000_000), "gzip");
  for (
    const [type, path] of [["application/json", "/customers"], [
      "application/x-ndjson",
      "/customers/bulk",
    ]] as const
  ) {
    const isBulk = path.endsWith("bulk");
    const send = (body: unknown, coding: string) =>
      rest.call("POST", path, { as, body, headers: { "content-encoding": coding, "content-type": type } });
    const tooLarge = await send(isBulk ? large : bomb, "gzip");
    assert.equal(
      tooLarge.status,
      isBulk ? 200 : 413,
      "the status of a bulk response is sent with its first row",
    );
    assert.match(tooLarge.text, /its body inflates to more than (100 times its size|102400 bytes)/);
    for (const body of [whole.slice(0, -9), "not compressed"]) {
      const refused = await send(body, "gzip");
      assert.deepEqual([refused.status, refused.body.code], [400, "INVALID_INPUT"], path);
    }
    for (const coding of ["br", "zstd", "gzip, gzip", "constructor"]) {
      const refused = await send(whole, coding);
      assert.deepEqual(
        [refused.status, refused.headers.get("accept-encoding")],
        [415, "gzip, deflate"],
        coding,
      );
      assert.match(refused.body.message, /gzip, deflate, identity/);
    }
  }
  const identity = { "content-encoding": "identity", "content-type": "application/json" };
  const body = JSON.stringify({ email: "identity@example.com" });
  assert.equal((await rest.call("POST", "/customers", { as, body, headers: identity })).status, 201);
});

Deno.test("URLs that are not percent-encoded UTF-8 are refused before the caller is known", async () => {
  await using rest = await startRest();
  const { system: as } = rest.world;
  for (
    const path of [
      "/customers?namePrefix=%ff",
      "/customers?namePrefix=50%",
      "/groups?namePrefix=%zz",
      "/customers/%e4",
    ]
  ) {
    const { status, body } = await rest.call("GET", path, { as });
    assert.deepEqual([status, body.code], [400, "INVALID_INPUT"], path);
    assert.match(body.message, /percent-encoded UTF-8/);
  }
  for (const limit of ["0x5", "1e1", "%205", "5.0", "-1", "", "٥", "5,6", "9".repeat(400)]) {
    const { status, body } = await rest.call("GET", `/customers?limit=${limit}`, { as });
    assert.deepEqual([status, body.details?.[0]?.field], [400, "limit"], limit);
  }
  assert.equal((await rest.call("GET", "/customers?limit=5&namePrefix=%C3%A4+b", { as })).status, 200);
});

Deno.test("an operation refuses queries and bodies that it does not have, and requires its own", async () => {
  await using rest = await startRest();
  const as = rest.staff(["STORE_MANAGER"]);
  const { id } = await register(rest.world);
  const other = crypto.randomUUID();
  const unknownQueries = [["GET", `/customers/${id}`], ["GET", `/customers/${id}/addresses`], [
    "GET",
    `/groups/${other}`,
  ]];
  for (
    const [method = "", path = ""] of [...unknownQueries, ["GET", "/customers"], ["GET", "/gdpr-requests"]]
  ) {
    const { status, body } = await rest.call(method, `${path}?verbose=1`, { as });
    assert.deepEqual([status, body.details], [400, [{ field: "verbose", message: "is not known" }]], path);
  }
  const withoutBody = [
    ["PUT", `/customers/${id}/groups/${other}`],
    ["DELETE", `/customers/${id}/groups/${other}`],
    ["DELETE", `/customers/${id}/addresses/${other}`],
    ["DELETE", `/groups/${other}`],
  ];
  for (const [method = "", path = ""] of withoutBody) {
    const refused = await rest.call(method, path, { as, body: { reason: "x" } });
    assert.deepEqual([refused.status, refused.body.details], [400, [{
      field: "reason",
      message: "is not known",
    }]], path);
    assert.equal((await rest.call(method, path, { as, body: "reason=x" })).status, 400, path);
    assert.notEqual((await rest.call(method, path, { as, body: {} })).status, 400, path);
  }
  const withBody = [
    ["POST", "/customers"],
    ["POST", "/customers/search"],
    ["POST", `/customers/${id}/addresses`],
    ["PATCH", `/customers/${id}`],
    ["PATCH", `/customers/${id}/addresses/${other}`],
    ["POST", "/groups"],
    ["PATCH", `/groups/${other}`],
    ["POST", "/gdpr-requests"],
    ["POST", `/gdpr-requests/${other}/waive`],
  ];
  for (const [method = "", path = ""] of withBody) {
    for (const options of [{}, { body: "" }]) {
      const { status, body } = await rest.call(method, path, { as, ...options });
      assert.deepEqual([status, body.code], [400, "INVALID_INPUT"], path);
      assert.match(body.message, /it must have a JSON body/);
    }
    const unknown = await rest.call(method, path, { as, body: { nickname: "x" } });
    assert.equal(unknown.status, 400, path);
    assert.match(unknown.body.message, /nickname is not known/);
  }
  for (const path of [`/customers/${id}`, `/customers/${id}/addresses/${other}`, `/groups/${other}`]) {
    const { status, body } = await rest.call("PATCH", path, { as, body: {} });
    assert.equal(status, 400, path);
    assert.match(body.message, /must have at least one of the fields/);
  }
});

Deno.test("an error names its fields and the trace of the request", async () => {
  await using rest = await startRest();
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const { body } = await rest.call("POST", "/gdpr-requests", {
    as: rest.world.system,
    body: { customerId: "7", type: "RECTIFICATION", corrections: { email: "x", nickname: "y" } },
    headers: { traceparent },
  });
  assert.equal(body.traceId, "4bf92f3577b34da6a3ce929d0e0e4736");
  const fields = body.details.map(({ field }: { field: string }) => field);
  assert.deepEqual(fields, ["customerId", "corrections.email", "corrections.nickname"]);
  const anonymous = await rest.call("GET", "/customers", {
    headers: { traceparent, authorization: "Bearer x.y.z" },
  });
  assert.deepEqual([anonymous.status, anonymous.body.traceId], [401, "4bf92f3577b34da6a3ce929d0e0e4736"]);
  assert.match(anonymous.headers.get("www-authenticate") ?? "", /^Bearer error="invalid_token"/);
});

Deno.test("pages of allowed origins may send trace headers and read the headers of a response", async () => {
  const app = createHttpApp({ corsOrigins: ["https://shop.example"] });
  app.options("/customers", (c) => c.body(null, 204, { allow: "GET" }));
  const ask = (method: string, headers: Record<string, string>) =>
    app.request("http://localhost/customers", {
      method,
      headers: { origin: "https://shop.example", ...headers },
    });
  const preflight = await ask("OPTIONS", { "access-control-request-method": "GET" });
  const allowed = preflight.headers.get("access-control-allow-headers")?.split(",");
  for (const name of ["authorization", "if-match", "traceparent", "tracestate", "baggage", "sentry-trace"]) {
    assert.ok(allowed?.includes(name), name);
  }
  const options = await ask("OPTIONS", {});
  assert.equal(options.headers.get("allow"), "GET");
  const exposed = (await ask("GET", {})).headers.get("access-control-expose-headers")?.split(",");
  for (const name of ["etag", "retry-after", "www-authenticate", "allow", "ratelimit", "ratelimit-policy"]) {
    assert.ok(exposed?.includes(name), name);
  }
  const foreign = await ask("OPTIONS", {
    origin: "https://evil.example",
    "access-control-request-method": "GET",
  });
  assert.equal(foreign.headers.get("access-control-allow-origin"), null);
});

Deno.test("a replica that is not ready says when to ask again", async () => {
  const response = await createHealth(() => Promise.resolve(false)).request("/readyz");
  assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "5"]);
});

Deno.test("a GDPR request that has not changed is not sent again", async () => {
  await using rest = await startRest();
  const as = rest.staff(["PRIVACY_OFFICER"]);
  const { id: customerId } = await register(rest.world);
  const opened = await rest.call("POST", "/gdpr-requests", { as, body: { customerId, type: "ACCESS" } });
  const path = `/gdpr-requests/${opened.body.requestId}`;
  const { headers } = await rest.call("GET", path, { as });
  assert.equal(headers.get("cache-control"), "private, no-cache");
  assert.match(headers.get("vary") ?? "", /authorization/);
  const list = await rest.call("GET", "/gdpr-requests", { as });
  assert.equal(list.headers.get("cache-control"), "no-store");
  const again = await rest.call("GET", path, { as, headers: { "if-none-match": headers.get("etag")! } });
  assert.deepEqual([again.status, again.text, again.headers.get("etag")], [304, "", headers.get("etag")]);
});

Deno.test("every path refuses the methods that it does not have with 405 and Allow, and answers OPTIONS", async () => {
  await using rest = await startRest();
  const { id } = await register(rest.world);
  const as = rest.staff(["PRIVACY_OFFICER"]);
  const paths = {
    "/healthz": "GET, HEAD, OPTIONS",
    "/readyz": "GET, HEAD, OPTIONS",
    "/docs": "GET, HEAD, OPTIONS",
    "/openapi.json": "GET, HEAD, OPTIONS",
    "/receipts/none": "GET, HEAD, OPTIONS",
    "/exports/none": "GET, HEAD, OPTIONS",
    "/exports/none/access.json": "GET, HEAD, OPTIONS",
    [`/customers/${id}`]: "GET, HEAD, PATCH, OPTIONS",
  };
  for (const [path, allow] of Object.entries(paths)) {
    for (const method of ["POST", "PUT", "DELETE", "PROPFIND"]) {
      const { status, headers, body } = await rest.call(method, path, { as });
      assert.deepEqual([method, path, status, headers.get("allow")], [method, path, 405, allow]);
      assert.equal(body.message, `Cannot accept the request: this path accepts ${allow}`);
    }
    const options = await rest.call("OPTIONS", path, { as });
    assert.deepEqual([path, options.status, options.headers.get("allow")], [path, 204, allow]);
  }
  for (const method of ["GET", "POST"]) {
    const { status, headers } = await rest.call(method, "/nope", { as });
    assert.deepEqual([status, headers.get("allow")], [404, null]);
  }
});

Deno.test("a change with If-None-Match is refused and changes nothing", async () => {
  await using rest = await startRest();
  const { id } = await register(rest.world);
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  for (const condition of ["*", '"1"', '"9"', "x", ""]) {
    const headers = { "if-none-match": condition };
    const body = { firstName: "Mina" };
    for (
      const [method, path] of [["PATCH", `/customers/${id}`], ["POST", `/customers/${id}/close`]] as const
    ) {
      const refused = await rest.call(method, path, {
        as,
        headers,
        ...(method === "PATCH" && { body }),
      });
      assert.deepEqual([condition, refused.status, refused.body.code], [condition, 400, "INVALID_INPUT"]);
      assert.match(refused.body.message, /If-Match/);
    }
  }
  const { body } = await rest.call("GET", `/customers/${id}`, { as });
  assert.deepEqual([body.version, body.status], [1, "ACTIVE"]);
});
