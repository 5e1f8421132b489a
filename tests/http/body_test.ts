/** Request bodies have limits on bytes, chunks and time, with and without Content-Length. */
import assert from "node:assert/strict";
import { type BodyBudget, createBodyBudget } from "../../http/body_budget.ts";
import { createBodyReader } from "../../http/body_reader.ts";
import type { BodyClock } from "../../http/body.ts";
import { BodyError } from "../../http/body_error.ts";
import { inflateBytes, inflateStream } from "../../http/content_encoding.ts";
import { createHttpApp } from "../../http/mod.ts";
import { Http2Connection } from "../../grpc/http2/connection.ts";
import { eventually } from "../eventually.ts";
import { serve } from "../graph/server.ts";
import { captureLog } from "../captured_log.ts";
import { assertLinear } from "../growth.ts";
import { connectRaw, head, type RawConnection, unfinished } from "./raw.ts";

/** A clock by which no body is late. */
const SLOW: BodyClock = { graceMs: 600_000, bytesPerSecond: 1, wholeMs: 600_000 };
const MAX_BYTES = 20_000;

/** Server that answers with the length of the body, or with its fault. */
function serveBodies(
  { clock = SLOW, budget = createBodyBudget() }: { clock?: BodyClock; budget?: BodyBudget } = {},
) {
  const bodies = createBodyReader({ proxies: 1, clock, budget });
  const server = serve(
    createHttpApp({ corsOrigins: [] }).post("/", async (c) => {
      await bodies.receive(c, { maxBytes: MAX_BYTES });
      return c.json({ length: (await c.req.text()).length });
    }).onError((error, c) => {
      if (!(error instanceof BodyError)) throw error;
      return c.json({ fault: error.fault, message: error.message }, 400);
    }),
  );
  return {
    bodies,
    origin: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function answerTo(origin: string, send: (connection: RawConnection) => Promise<void>): Promise<string> {
  await using connection = await connectRaw(origin);
  await send(connection);
  return await connection.until("}");
}

Deno.test("a body that arrives with its headers is read without an exception, and every other one with a buffer", async () => {
  await using server = serveBodies();
  const { getReader } = ReadableStream.prototype;
  const modes: string[] = [];
  ReadableStream.prototype.getReader = function (this: ReadableStream, options?: { mode: "byob" }) {
    modes.push(options?.mode ?? "default");
    return Reflect.apply(getReader, this, options ? [options] : []); // throws for a stream without buffers
  } as typeof getReader;
  try {
    const together = head("/", { "content-length": "300" }) + "x".repeat(300);
    for (let turn = 0; turn < 5; turn++) {
      assert.match(await answerTo(server.origin, (connection) => connection.write(together)), /"length":300/);
    }
    assert.deepEqual(modes.splice(0), Array(5).fill("default"));
    await answerTo(server.origin, async (connection) => {
      await connection.write(head("/", { "content-length": "2" }));
      await eventually(() => assert.equal(server.bodies.count(), 1));
      await connection.write("xy");
    });
    assert.deepEqual(modes, ["byob"]);
  } finally {
    ReadableStream.prototype.getReader = getReader;
  }
});

Deno.test("a body that arrives in parts is read whole, with and without Content-Length", async () => {
  await using server = serveBodies();
  const text = "x".repeat(MAX_BYTES);
  const whole = await fetch(server.origin, { method: "POST", body: text });
  assert.deepEqual(await whole.json(), { length: MAX_BYTES });
  const chunked = await fetch(server.origin, { method: "POST", body: new Blob([text]).stream() });
  assert.deepEqual(await chunked.json(), { length: MAX_BYTES });
  const answer = await answerTo(server.origin, async (connection) => {
    await connection.write(head("/", { "content-length": String(MAX_BYTES) }));
    await eventually(() => assert.equal(server.bodies.count(), 1));
    await connection.write(text.slice(0, 5_000));
    await connection.write(text.slice(5_000));
  });
  assert.match(answer, new RegExp(`"length":${MAX_BYTES}`));
  await eventually(() => assert.equal(server.bodies.count(), 0));
});

Deno.test("a body over the limit is refused while it is read", async () => {
  await using server = serveBodies();
  const declared = await answerTo(
    server.origin,
    (connection) => connection.write(head("/", { "content-length": String(MAX_BYTES + 1) })),
  );
  assert.match(declared, /"too_large".*its body has more than 20000 bytes/);
  const chunked = await answerTo(server.origin, async (connection) => {
    await connection.write(head("/", { "transfer-encoding": "chunked" }));
    await connection.write(`${(MAX_BYTES + 1).toString(16)}\r\n${"x".repeat(MAX_BYTES + 1)}\r\n`);
  });
  assert.match(chunked, /"too_large"/);
});

Deno.test("a body that does not arrive times out, chunked or not", async () => {
  await using server = serveBodies({ clock: { graceMs: 100, bytesPerSecond: 1_000_000, wholeMs: 100 } });
  for (const request of [unfinished("/"), `${head("/", { "content-length": "99" })}{`]) {
    await using connection = await connectRaw(server.origin);
    await connection.write(request);
    const answer = await connection.until("}");
    assert.match(answer, /^HTTP\/1.1 400 [^]*"too_slow"[^]*has not arrived within 0.1 seconds/);
  }
  assert.equal(server.bodies.count(), 0);
});

Deno.test("a body below the minimum rate times out before its total limit", async () => {
  await using server = serveBodies({ clock: { graceMs: 100, bytesPerSecond: 1_000, wholeMs: 600_000 } });
  await using connection = await connectRaw(server.origin);
  await connection.write(unfinished("/"));
  const dripping = (async () => {
    const end = connection.until("}");
    let ended = false;
    end.then(() => ended = true);
    while (!ended) {
      await connection.write("1\r\nx\r\n").catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return await end;
  })();
  assert.match(await dripping, /"too_slow"/);
});

Deno.test("a body in chunks of one byte is refused as fragmented", async () => {
  await using server = serveBodies();
  await using connection = await connectRaw(server.origin);
  await connection.write(head("/", { "transfer-encoding": "chunked" }) + "1\r\nx\r\n".repeat(300));
  assert.match(await connection.until("}"), /"fragmented".*chunks of fewer than 16 bytes on average/);
});

Deno.test("a body in HTTP/2 frames of one byte is refused as fragmented", async () => {
  await using server = serveBodies();
  const { hostname, port } = new URL(server.origin);
  const socket = await Deno.connect({ hostname, port: Number(port) });
  const connection = new Http2Connection({
    read: (into) => socket.read(into),
    write: (bytes) => socket.write(bytes),
    close: () => socket.close(),
  }, { role: "client" });
  const closed = connection.run();
  let text = "";
  const stream = connection.open(
    [":method", "POST", ":scheme", "http", ":authority", "localhost", ":path", "/"],
    false,
    {
      onHeaders() {},
      onData: (bytes, start, end) => text += new TextDecoder().decode(bytes.subarray(start, end)),
      onReset() {},
    },
  );
  try {
    for (let at = 0; at < 300 && !stream.closed; at++) {
      stream.sendData(new TextEncoder().encode("x"), false);
      await new Promise((resolve) => setTimeout(resolve)); // one frame per turn, so that none are joined
    }
    await eventually(() => assert.match(text, /"fragmented"/));
  } finally {
    connection.close();
    await closed;
  }
});

Deno.test("a client that disconnects during its body is not logged and frees its share", async () => {
  await using server = serveBodies();
  await using log = await captureLog();
  const connection = await connectRaw(server.origin);
  await connection.write(unfinished("/"));
  await eventually(() => assert.equal(server.bodies.count(), 1));
  connection.close();
  await eventually(() => assert.equal(server.bodies.count(), 0));
  assert.deepEqual(log.lines, []);
});

Deno.test("beyond the budget only the address that uses most loses a body, its oldest", async () => {
  const OVERHEAD = 32 * 1_024;
  await using server = serveBodies({ budget: createBodyBudget(3 * OVERHEAD) });
  await using stack = new AsyncDisposableStack();
  const open = async (address: string, count: number) => {
    const connection = stack.use(await connectRaw(server.origin));
    await connection.write(unfinished("/", { "x-forwarded-for": address }));
    await eventually(() => assert.equal(server.bodies.count(), count));
    return connection;
  };
  const innocent = await open("203.0.113.1", 1);
  const first = await open("203.0.113.2", 2);
  // One byte of each body has arrived, so the third one does not fit.
  const second = await open("203.0.113.2", 2);
  assert.match(await first.until("}"), /^retry-after: 1\r\n[^]*"evicted"/m);
  await second.write("0\r\n\r\n");
  assert.match(await second.until("}"), /"length":1/);
  await innocent.write("0\r\n\r\n");
  assert.match(await innocent.until("}"), /"length":1/);
});

Deno.test("a connection outlives requests with bodies of 2 KB", async () => {
  await using server = serveBodies();
  await using connection = await connectRaw(server.origin);
  const text = JSON.stringify({ query: "x".repeat(2_000) });
  let answers = "";
  for (let nth = 1; nth <= 10; nth++) {
    await connection.write(head("/", { "content-length": String(text.length) }));
    await connection.write(text);
    answers = await connection.untilCount("}", nth);
  }
  assert.doesNotMatch(answers, /connection: close/i);
});

async function compress(text: string, format: CompressionFormat = "gzip"): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream(format))).bytes();
}

Deno.test("a compressed body is inflated, and its limit counts what it inflates to", async () => {
  await using server = serveBodies();
  const send = async (body: Uint8Array<ArrayBuffer>, coding: string) => {
    const response = await fetch(server.origin, {
      method: "POST",
      body,
      headers: { "content-encoding": coding },
    });
    return { codings: response.headers.get("accept-encoding"), ...await response.json() };
  };
  assert.equal((await send(await compress("x".repeat(MAX_BYTES)), "gzip")).length, MAX_BYTES);
  assert.equal((await send(await compress("é", "deflate"), "Deflate")).length, 1);
  assert.equal((await send(await compress(""), "gzip, identity")).length, 0);
  assert.equal((await send(await compress("x".repeat(MAX_BYTES + 1)), "gzip")).fault, "too_large");
  assert.equal((await send(await compress("x".repeat(50_000_000)), "gzip")).fault, "too_large");
  assert.equal((await send(await compress("x"), "deflate")).fault, "malformed");
  assert.equal((await send((await compress("x".repeat(99))).slice(0, -1), "gzip")).fault, "malformed");
  const unknown = await send(await compress("x"), "br");
  assert.deepEqual([unknown.fault, unknown.codings], ["unknown_coding", "gzip, deflate"]);
});

Deno.test("a compressed stream is inflated in pieces, as it is read, in linear time", async () => {
  const bomb = await compress("\0".repeat(100_000_000));
  let sent = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (sent >= bomb.length) return controller.close();
      controller.enqueue(bomb.slice(sent, sent += 1_000));
    },
  }, { highWaterMark: 0 });
  let [inflated, largest] = [0, 0];
  await assert.rejects(async () => {
    for await (const chunk of inflateStream(body, "gzip")) {
      inflated += chunk.length;
      largest = Math.max(largest, chunk.length);
    }
  }, { fault: "too_large" });
  assert.ok(largest < 300_000 && inflated < 2_000_000, `${inflated} bytes in pieces of up to ${largest}`);
  assert.ok(sent < bomb.length / 2, "the rest of the body is not read");
  const random = crypto.getRandomValues(new Uint8Array(48 * 1_024)).toBase64();
  await assertLinear("inflating", 16 * 1_024, async (size) => {
    const compressed = await compress(random.slice(0, size));
    return () => inflateBytes(compressed, "gzip", size);
  });
});
