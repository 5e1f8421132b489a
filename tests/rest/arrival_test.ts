/** What is wrong with a request before it is anything: no host, no UTF-8, a body that never arrives. */
import assert from "node:assert/strict";
import { createBodyReader } from "../../http/body_reader.ts";
import { monitorLoad, shedLoad } from "../../http/load_shedding.ts";
import { answerOf } from "../../rest/errors.ts";
import { connectRaw, head, unfinished } from "../http/raw.ts";
import { eventually } from "../eventually.ts";
import { captureLog } from "../whole_log.ts";
import { startRest } from "./server.ts";

/** Sends text as it is over a connection of its own, and gives what comes back until there is a whole document. */
async function speak(origin: string, text: string): Promise<string> {
  const { hostname, port } = new URL(origin);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(text));
  const [buffer, decoder] = [new Uint8Array(4_096), new TextDecoder()];
  let answer = "";
  while (!answer.endsWith("}")) {
    const length = await connection.read(buffer);
    if (length === null) break;
    answer += decoder.decode(buffer.subarray(0, length));
  }
  return answer;
}

Deno.test("a Host header that names no host is refused without quoting or logging the URL", async () => {
  await using rest = await startRest();
  await using log = await captureLog();
  for (const host of ["a b", "[::zz", "x:99999", "%zz"]) {
    const answer = await speak(
      rest.origin,
      `GET /customers?email=numbat%40example.com HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1.1 400 /, host);
    assert.match(answer, /"INVALID_INPUT".*its Host header does not name a host/);
    assert.doesNotMatch(answer, /numbat/);
  }
  assert.deepEqual(log.lines.filter((line) => line.includes("numbat")), []);
});

Deno.test("a body that is not UTF-8 is refused, not stored with characters that nobody has written", async () => {
  await using rest = await startRest();
  const body = new Uint8Array([...new TextEncoder().encode('{"email":"ada@example.com","firstName":"Z')]);
  const latin = new Uint8Array([...body, 0xeb, ...new TextEncoder().encode('"}')]);
  const { status, text } = await rest.call("POST", "/customers", { as: rest.world.system, body: latin });
  assert.equal(status, 400, text);
  assert.deepEqual(JSON.parse(text), {
    code: "INVALID_INPUT",
    message: "Cannot read the request: its body is not UTF-8",
  });
  assert.equal((await rest.world.admin`select from customers`).length, 0);
});

Deno.test("a body that does not arrive is waited for so long and no longer", async () => {
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

Deno.test("a caller who may not call a route is refused before its body is read", async () => {
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

Deno.test("a body that is on its way holds no place in flight, a bulk upload included", async () => {
  using load = monitorLoad();
  const places = load.createLimit("requests", 1);
  const bodies = createBodyReader({ proxies: 0 });
  await using rest = await startRest({ bodies, admit: shedLoad(places, (error) => answerOf(error).body) });
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
      assert.equal(places.inFlight(), 0);
      assert.equal((await rest.call("GET", "/groups", { as: system })).status, 200);
    });
  }
});

Deno.test("where a body is optional an empty one is none, whatever its type", async () => {
  await using rest = await startRest();
  for (const action of ["cancel", "release", "retry"]) {
    const path = `/gdpr-requests/${crypto.randomUUID()}/${action}`;
    const headers = { "content-type": "application/json" };
    const { status } = await rest.call("POST", path, { as: rest.world.system, body: "", headers });
    assert.equal(status, 404, action);
  }
});

Deno.test("a client that breaks a body off is no error of ours", async () => {
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
  await rest[Symbol.asyncDispose](); // waits for what is under way
  assert.deepEqual(log.lines.filter((line) => line.includes("Cannot answer")), []);
});
