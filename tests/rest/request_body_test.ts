/** Requests before they reach a route: malformed Host headers, and bodies that are invalid, slow, empty or incomplete. */
import assert from "node:assert/strict";
import { createBodyReader } from "../../http/body_reader.ts";
import { monitorLoad, shedLoad } from "../../http/load_shedding.ts";
import { errorResponse } from "../../rest/errors.ts";
import { connectRaw, head, unfinished } from "../http/raw.ts";
import { eventually } from "../eventually.ts";
import { captureLog } from "../captured_log.ts";
import { startRest } from "./server.ts";

/** Sends text over its own connection, and returns the response up to the end of its JSON body. */
async function sendRaw(origin: string, text: string): Promise<string> {
  const { hostname, port } = new URL(origin);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(text));
  const [buffer, decoder] = [new Uint8Array(4_096), new TextDecoder()];
  let response = "";
  while (!response.endsWith("}")) {
    const length = await connection.read(buffer);
    if (length === null) break;
    response += decoder.decode(buffer.subarray(0, length));
  }
  return response;
}

Deno.test("a Host header that names no host is refused without quoting or logging the URL", async () => {
  await using rest = await startRest();
  await using log = await captureLog();
  for (const host of ["a b", "[::zz", "x:99999", "%zz"]) {
    const response = await sendRaw(
      rest.origin,
      `GET /customers?email=numbat%40example.com HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    );
    assert.match(response, /^HTTP\/1.1 400 /, host);
    assert.match(response, /"INVALID_INPUT".*its Host header does not name a host/);
    assert.doesNotMatch(response, /numbat/);
  }
  assert.deepEqual(log.lines.filter((line) => line.includes("numbat")), []);
});

Deno.test("a body that is not UTF-8 is refused, not stored with replacement characters", async () => {
  await using rest = await startRest();
  const body = new Uint8Array([...new TextEncoder().encode('{"email":"ada@example.com","firstName":"Z')]);
  const latin = new Uint8Array([...body, 0xeb, ...new TextEncoder().encode('"}')]);
  const { status, text } = await rest.call("POST", "/customers", { as: rest.world.system, body: latin });
  assert.equal(status, 400, text);
  const { code, message } = JSON.parse(text);
  assert.deepEqual([code, message], ["INVALID_INPUT", "Cannot read the request: its body is not UTF-8"]);
  assert.equal((await rest.world.admin`select from customers`).length, 0);
});

Deno.test("a body that does not arrive in time is refused", async () => {
  const clock = { graceMs: 100, bytesPerSecond: 1_000_000, wholeMs: 100 };
  await using rest = await startRest({ bodies: createBodyReader({ proxies: 0, clock }) });
  const authorization = await rest.authorization(rest.world.system);
  for (
    const request of [
      unfinished("/customers", { authorization }),
      `${head("/customers", { authorization, "content-length": "9" })}h`,
    ]
  ) {
    await using connection = await connectRaw(rest.origin);
    await connection.write(request);
    assert.match(
      await connection.until("}"),
      /^HTTP\/1.1 400 [^]*"INVALID_INPUT"[^]*its body has not arrived within 0.1 seconds/,
    );
  }
});

Deno.test("an unauthorized caller is refused before its body is read", async () => {
  const bodies = createBodyReader({ proxies: 0 });
  await using rest = await startRest({ bodies });
  const { storeId } = rest.world;
  const shopper = { id: crypto.randomUUID(), type: "CUSTOMER" as const, storeId, roles: [] };
  const callers = [
    { as: undefined, status: 401 },
    { as: shopper, status: 403 },
    { as: rest.staff(["PRIVACY_OFFICER"]), status: 403 },
  ];
  for (const path of ["/customers", "/customers/bulk"]) {
    for (const { as, status } of callers) {
      await using connection = await connectRaw(rest.origin);
      await connection.write(unfinished(path, as ? { authorization: await rest.authorization(as) } : {}));
      assert.match(await connection.until("}"), new RegExp(`^HTTP/1.1 ${status} `), path);
      assert.equal(bodies.count(), 0);
    }
  }
});

Deno.test("a request holds no concurrency slot while its body is received, nor does a bulk upload", async () => {
  using load = monitorLoad();
  const concurrency = load.createLimit("requests", 1);
  const bodies = createBodyReader({ proxies: 0 });
  await using rest = await startRest({
    bodies,
    admit: shedLoad(concurrency, (error) => errorResponse(error).body),
  });
  const { system } = rest.world;
  const authorization = await rest.authorization(system);
  await using stack = new AsyncDisposableStack();
  for (let at = 0; at < 3; at++) {
    const connection = stack.use(await connectRaw(rest.origin));
    await connection.write(unfinished("/customers", { authorization }));
    const bulk = stack.use(await connectRaw(rest.origin));
    await bulk.write(
      unfinished("/customers/bulk", { authorization, "content-type": "application/x-ndjson" }),
    );
    await eventually(async () => {
      assert.equal(bodies.count(), at + 1);
      assert.equal(concurrency.inFlight(), 0);
      assert.equal((await rest.call("GET", "/groups", { as: system })).status, 200);
    });
  }
});

Deno.test("an empty body counts as absent where a body is optional, even with a content type", async () => {
  await using rest = await startRest();
  for (const action of ["cancel", "release", "retry"]) {
    const path = `/gdpr-requests/${crypto.randomUUID()}/${action}`;
    const headers = { "content-type": "application/json" };
    const { status } = await rest.call("POST", path, { as: rest.world.officer, body: "", headers });
    assert.equal(status, 404, action);
  }
});

Deno.test("a client that disconnects in the middle of a body is not logged as an error", async () => {
  await using rest = await startRest();
  await using log = await captureLog();
  const authorization = await rest.authorization(rest.world.system);
  const { hostname, port } = new URL(rest.origin);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const head = [
    "POST /customers HTTP/1.1",
    "host: localhost",
    `authorization: ${authorization}`,
    "content-type: application/json",
    "content-length: 99",
  ];
  await connection.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n{`));
  assert.equal((await rest.call("GET", "/groups", { as: rest.world.system })).status, 200);
  connection.close();
  await rest[Symbol.asyncDispose](); // waits for requests in progress
  assert.deepEqual(log.lines.filter((line) => line.includes("Cannot answer")), []);
});
