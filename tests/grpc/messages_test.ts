/** Messages of a request: sizes, compression, and how they are cut into frames. */
import assert from "node:assert/strict";
import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import type { Method } from "../../grpc/mod.ts";
import { concat, type Fields, grpcMessage, reset } from "../attack/frames.ts";
import { heldMegabytes } from "../memory.ts";
import { Changes } from "./changes.ts";
import { HeldCalls } from "./held_calls.ts";
import { ECHO, echo, HELD, startServer, STREAM } from "./in_process.ts";
import { type Arrived, openRaw, type RawClient } from "./raw_client.ts";
import { data, head, isEnd, outcome } from "./raw_calls.ts";

const PATIENT = { patienceMs: 30_000 };
const LIMIT = 10_000;
const TEXT = new TextEncoder().encode("the same words ".repeat(600)); // 9,000 bytes
const GZIP: Fields = [["grpc-encoding", "gzip"]];
const DEFLATE: Fields = [["grpc-encoding", "deflate"]];
const BOMB = gzipSync(new Uint8Array(50_000_000));

interface Case {
  body: Uint8Array;
  fields?: Fields;
  status: number;
  message?: RegExp;
}

const CASES: Record<string, Case> = {
  "a message of exactly the limit": { body: grpcMessage(new Uint8Array(LIMIT)), status: 0 },
  "a message of a byte more": { body: grpcMessage(new Uint8Array(LIMIT + 1)), status: 8, message: /10000/ },
  "an announced length of 4 GiB": { body: Uint8Array.of(0, 255, 255, 255, 255), status: 8 },
  "gzip": { body: grpcMessage(gzipSync(TEXT), 1), fields: GZIP, status: 0 },
  "deflate": { body: grpcMessage(deflateSync(TEXT), 1), fields: DEFLATE, status: 0 },
  "gzip announced and not used": { body: grpcMessage(TEXT), fields: GZIP, status: 0 },
  "identity announced": { body: grpcMessage(TEXT), fields: [["grpc-encoding", "identity"]], status: 0 },
  "gzip of a byte more than the limit": {
    body: grpcMessage(gzipSync(new Uint8Array(LIMIT + 1)), 1),
    fields: GZIP,
    status: 8,
  },
  "a gzip bomb": { body: grpcMessage(BOMB.subarray(0, LIMIT), 1), fields: GZIP, status: 8 },
  "gzip that breaks off": {
    body: grpcMessage(gzipSync(TEXT).subarray(0, 40), 1),
    fields: GZIP,
    status: 13,
    message: /gzip/,
  },
  "rubbish as gzip": { body: grpcMessage(TEXT, 1), fields: GZIP, status: 13, message: /gzip/ },
  "deflate without its header": {
    body: grpcMessage(deflateRawSync(TEXT), 1),
    fields: DEFLATE,
    status: 13,
    message: /deflate/,
  },
  "compressed without an encoding": { body: grpcMessage(gzipSync(TEXT), 1), status: 13 },
  "compressed with identity": {
    body: grpcMessage(gzipSync(TEXT), 1),
    fields: [["grpc-encoding", "identity"]],
    status: 13,
  },
  "an unknown encoding": {
    body: grpcMessage(TEXT, 1),
    fields: [["grpc-encoding", "snappy"]],
    status: 12,
    message: /identity,deflate,gzip/,
  },
  "an encoding named like a property of every object": {
    body: grpcMessage(TEXT, 1),
    fields: [["grpc-encoding", "constructor"]],
    status: 12,
  },
  "a flag of 2": { body: grpcMessage(TEXT, 2), status: 13 },
  "two messages": { body: concat([grpcMessage(TEXT), grpcMessage(TEXT)]), status: 12 },
  "no message": { body: new Uint8Array(0), status: 12 },
  "half a prefix": { body: grpcMessage(TEXT).subarray(0, 3), status: 13 },
  "half a message": { body: grpcMessage(TEXT).subarray(0, 50), status: 13 },
};

for (const [what, { body, fields, status, message = /^/ }] of Object.entries(CASES)) {
  Deno.test(`a unary request with ${what} has grpc-status ${status}, however it is cut`, async () => {
    await using server = await startServer({ messageBytes: LIMIT });
    using client = await openRaw(server.port, PATIENT);
    for (const [at, size] of [16_384, 1_000, 64].entries()) {
      const stream = 1 + 2 * at;
      await client.send(head(stream, ECHO, fields));
      for (let from = 0; from === 0 || from < body.length; from += size) {
        await client.send(data(stream, body.subarray(from, from + size), from + size >= body.length));
      }
      const frames = await client.until(isEnd(stream));
      const seen = trailersOf(frames);
      assert.equal(seen?.get("grpc-status"), String(status), `in frames of ${size} bytes`);
      assert.match(decodeURIComponent(seen?.get("grpc-message") ?? ""), message);
      if (status === 12 && fields) {
        assert.equal(seen?.get("grpc-accept-encoding"), "identity,deflate,gzip");
      }
      if (status === 0) {
        assert.deepEqual(bytesOf(frames).length, what.includes("exactly") ? LIMIT + 5 : 9_005);
      }
    }
    assert.ok(await client.isAlive());
  });
}

Deno.test("a gzip bomb takes no more room than the largest message", async () => {
  await using server = await startServer({ messageBytes: 100_000 });
  using client = await openRaw(server.port, PATIENT);
  const before = heldMegabytes();
  for (let stream = 1; stream < 40; stream += 2) {
    await client.send(concat([head(stream, ECHO, GZIP), data(stream, grpcMessage(BOMB, 1), true)]));
    assert.equal(await outcome(client, stream), "grpc-status 8");
  }
  assert.ok(heldMegabytes() - before < 10);
});

Deno.test("frames of one byte carry a message too", async () => {
  await using server = await startServer({});
  using client = await openRaw(server.port, PATIENT);
  const body = grpcMessage(new TextEncoder().encode("byte by byte"));
  await client.send(head(1, ECHO));
  await client.send(
    concat([...body].map((byte, at) => data(1, Uint8Array.of(byte), at === body.length - 1))),
  );
  const frames = await client.until(isEnd(1));
  assert.deepEqual(bytesOf(frames), body);
});

Deno.test("what a message announces takes no room before its bytes come", async () => {
  await using server = await startServer({});
  using client = await openRaw(server.port, PATIENT);
  const before = heldMegabytes();
  for (let stream = 1; stream < 64; stream += 2) {
    await client.send(concat([head(stream, ECHO), data(stream, Uint8Array.of(0, 0, 0x3f, 0xff, 0xff))]));
  }
  assert.ok(await client.isAlive());
  assert.ok(heldMegabytes() - before < 5, "32 calls announce 4 MiB each");
});

/** Takes one request each time that `take` is called. */
function steppedReader() {
  const changes = new Changes();
  let taken = 0;
  let allowed = 0;
  const method: Method = {
    kind: "stream",
    async *handle(requests) {
      for await (const _ of requests) {
        taken++;
        changes.notify();
        await changes.until(() => allowed >= taken);
        yield new Uint8Array(1);
      }
    },
  };
  return {
    method,
    get taken() {
      return taken;
    },
    changes,
    take() {
      allowed++;
      changes.notify();
    },
  };
}

Deno.test("a streaming request is held back by a slow handler, with messages larger than a frame as well", async () => {
  for (const size of [1_000, 30_005, 100_000]) {
    const reader = steppedReader();
    await using server = await startServer({ methods: { [STREAM]: reader.method } });
    using client = await openRaw(server.port, PATIENT);
    const window = { left: 65_535 };
    await client.send(head(1, STREAM));
    let sent = 0;
    const body = grpcMessage(new Uint8Array(size));
    const whole = concat(Array.from({ length: Math.ceil(500_000 / size) }, () => body));
    // Sends what the window allows, until the server opens it no more.
    const fill = async () => {
      for (;;) {
        const part = Math.min(window.left, whole.length - sent);
        await client.send(data(1, whole.subarray(sent, sent + part)));
        sent += part;
        window.left -= part;
        const opened = await windowOf(client, 1);
        if (opened === 0) return;
        window.left += opened;
      }
    };
    await fill();
    await reader.changes.until(() => reader.taken === 1);
    await fill();
    assert.ok(sent <= size + 65_535 + 2 * size, `messages of ${size}: the server took ${sent} bytes`);
    assert.ok(sent < whole.length, `messages of ${size}`);
    const before = sent;
    for (let at = 1; at <= 4 && sent < whole.length; at++) {
      reader.take();
      await reader.changes.until(() => reader.taken === at + 1 || sent === whole.length);
      await fill();
    }
    for (let at = 0; at < 100; at++) reader.take();
    await fill();
    assert.ok(sent > before, "a handler that reads on lets the client send on");
  }
});

/** Size to which the server has opened a stream's window so far, in bytes. */
async function windowOf(client: RawClient, stream: number): Promise<number> {
  let opened = 0;
  const mark = new TextEncoder().encode("windows?");
  await client.send(concat([Uint8Array.of(0, 0, 8, 6, 0, 0, 0, 0, 0), mark]));
  await client.until(({ type, flags, payload, stream: of }) => {
    if (type === 8 && of === stream) opened += new DataView(payload.buffer, payload.byteOffset).getUint32(0);
    return type === 6 && flags === 1 && payload.every((byte, at) => byte === mark[at]);
  });
  return opened;
}

Deno.test("compressed messages that wait for a slow handler wait compressed", async () => {
  const reader = steppedReader();
  await using server = await startServer({ methods: { [STREAM]: reader.method }, messageBytes: 1_000_000 });
  using client = await openRaw(server.port, PATIENT);
  const before = heldMegabytes();
  const message = grpcMessage(gzipSync(new Uint8Array(1_000_000)), 1);
  await client.send(head(1, STREAM, GZIP));
  for (let at = 0; at < 60; at++) await client.send(data(1, message));
  assert.ok(await client.isAlive());
  assert.ok(heldMegabytes() - before < 10, "60 messages unpack to 60 MB");
  for (let at = 0; at < 60; at++) reader.take();
  await reader.changes.until(() => reader.taken === 60);
});

Deno.test("messages that no handler reads give the connection's window back when their call ends", async () => {
  const ignoring: Method = {
    kind: "stream",
    async *handle(_, call) {
      call.authenticated();
      yield new Uint8Array(1);
    },
  };
  const held = new HeldCalls({ known: true, stopsEarly: true });
  await using server = await startServer({
    methods: { [STREAM]: ignoring, [HELD]: held.stream, [ECHO]: echo },
  });
  using client = await openRaw(server.port, PATIENT);
  const unread = concat(Array.from({ length: 6 }, () => grpcMessage(new Uint8Array(10_000))));
  for (let stream = 1; stream < 160; stream += 4) {
    await client.send(concat([head(stream, HELD), data(stream, unread), reset(stream)]));
    await client.send(concat([head(stream + 2, STREAM), data(stream + 2, unread, true)]));
    assert.equal(await outcome(client, stream + 2), "grpc-status 0");
  }
  await client.send(concat([head(161, ECHO), data(161, grpcMessage(new Uint8Array(60_000)), true)]));
  assert.equal(await outcome(client, 161), "grpc-status 0", "4.8 MB came through a window of 1 MiB");
});

Deno.test("a compressed message that cannot be unpacked ends a streaming call when its turn has come", async () => {
  await using server = await startServer({
    methods: { [STREAM]: { kind: "stream", handle: (requests) => requests }, [ECHO]: echo },
    messageBytes: LIMIT,
  });
  for (
    const [body, status] of [[grpcMessage(TEXT, 1), 13], [
      grpcMessage(BOMB.subarray(0, LIMIT), 1),
      8,
    ]] as const
  ) {
    using client = await openRaw(server.port, PATIENT);
    await client.send(concat([head(1, STREAM, GZIP), data(1, concat([grpcMessage(TEXT), body]))]));
    assert.equal(await outcome(client, 1), `grpc-status ${status}`);
    await client.send(concat([head(3, ECHO), data(3, grpcMessage(), true)]));
    assert.equal(await outcome(client, 3), "grpc-status 0");
  }
});

function trailersOf(frames: readonly Arrived[]): ReadonlyMap<string, string> | undefined {
  return frames.at(-1)?.fields;
}

function bytesOf(frames: readonly Arrived[]): Uint8Array {
  return concat(frames.filter(({ type }) => type === 0).map(({ payload }) => payload));
}
