/** Slow readers: what waits for clients that do not read is bounded in bytes and in time. */
import assert from "node:assert/strict";
import type { Method } from "../../grpc/mod.ts";
import {
  ACK,
  concat,
  frame,
  grpcMessage,
  PING,
  PREFACE,
  reset,
  settings,
  windowUpdate,
} from "../attack/frames.ts";
import { heldMegabytes } from "../memory.ts";
import { Changes } from "./changes.ts";
import { HeldCalls } from "./held_calls.ts";
import { ECHO, echo, HELD, startServer, STREAM } from "./in_process.ts";
import { openRaw } from "./raw_client.ts";
import { call, data, head, isEnd, outcome, REFUSED_STREAM } from "./raw_calls.ts";

const PATIENT = { patienceMs: 30_000 };
const OK = "grpc-status 0";
const INITIAL_WINDOW_SIZE = 4;
const LARGE = new Uint8Array(40_000);

Deno.test("while too much waits for the client's windows, new streams are refused", async () => {
  await using server = await startServer({ limits: { blockedBytes: 100_000 } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(concat([settings([INITIAL_WINDOW_SIZE, 0]), call(1, ECHO, LARGE)]));
  for (const stream of [3, 5]) await client.send(call(stream, ECHO, LARGE));
  await client.send(call(7, ECHO));
  assert.equal(await outcome(client, 7), `RST_STREAM ${REFUSED_STREAM}`);
  for (const stream of [1, 3, 5]) {
    await client.send(windowUpdate(stream, LARGE.length + 5));
    assert.equal(await outcome(client, stream), OK);
  }
  await client.send(concat([call(9, ECHO), windowUpdate(9, 5)]));
  assert.equal(await outcome(client, 9), OK, "the bytes that left count no more");
});

Deno.test("bytes of a stream that is reset while it waits count no more", async () => {
  await using server = await startServer({ limits: { blockedBytes: 30_000 } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(settings([INITIAL_WINDOW_SIZE, 0]));
  for (let stream = 1; stream < 200; stream += 2) {
    await client.send(concat([call(stream, ECHO, LARGE), reset(stream)]));
  }
  await client.send(concat([call(201, ECHO), windowUpdate(201, 5)]));
  assert.equal(await outcome(client, 201), OK);
});

Deno.test("a call whose client opens no window is reset after stallMs", async () => {
  await using server = await startServer({ limits: { stallMs: 50 } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(concat([settings([INITIAL_WINDOW_SIZE, 0]), call(1, ECHO, LARGE)]));
  assert.equal(await outcome(client, 1), "RST_STREAM 8");
  assert.ok(await client.isAlive());
});

Deno.test("a streaming handler is not asked for more than the client's window takes", async () => {
  const changes = new Changes();
  let sent = 0;
  const endless: Method = {
    kind: "stream",
    async *handle(_, call) {
      call.authenticated();
      for (;;) {
        sent++;
        changes.notify();
        yield new Uint8Array(1_000);
      }
    },
  };
  await using server = await startServer({ methods: { [STREAM]: endless } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(concat([settings([INITIAL_WINDOW_SIZE, 10_050]), head(1, STREAM)]));
  await changes.until(() => sent === 11);
  for (let at = 0; at < 20; at++) assert.ok(await client.isAlive());
  assert.equal(sent, 11, "ten messages fit, and the eleventh waits");
  await client.send(windowUpdate(1, 2_010));
  await changes.until(() => sent === 13);
});

Deno.test("a client that does not read its socket is not read either, and is closed after stallMs", async () => {
  let answered = 0;
  const message = new Uint8Array(16_000);
  const counting: Method = {
    kind: "unary",
    handle(_, call) {
      call.authenticated();
      answered++;
      return message;
    },
  };
  await using server = await startServer({ methods: { [ECHO]: counting }, limits: { stallMs: 300 } });
  const before = heldMegabytes();
  using socket = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
  };
  await write(concat([PREFACE, settings(), windowUpdate(0, 2 ** 30)]));
  const calls = 100_000;
  await assert.rejects(async () => {
    for (let at = 0; at < calls; at++) await write(call(1 + at * 2, ECHO));
  });
  // What the kernel holds for the socket differs from machine to machine; 100,000 answers have 1.6 GB.
  assert.ok(answered < calls / 10, `${answered} calls were answered`);
  assert.ok(heldMegabytes() - before < 16);
});

Deno.test("a client that disappears silently is detected by a ping", async () => {
  const limits = { keepAliveMs: 30, keepAliveAnswerMs: 100 };
  const held = new HeldCalls({ known: true, stopsEarly: true });
  await using server = await startServer({ methods: { [HELD]: held.unary }, limits });
  using gone = await openRaw(server.port, PATIENT);
  await gone.send(call(1, HELD));
  await gone.ended;
  await held.changes.until(() => held.running === 0);
  assert.equal(held.aborted, 1);
});

Deno.test("a client that answers pings stays", async () => {
  const limits = { keepAliveMs: 20, keepAliveAnswerMs: 10_000 };
  await using server = await startServer({ methods: { [ECHO]: echo }, limits });
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, ECHO));
  assert.equal(await outcome(client, 1), OK);
  for (let at = 0; at < 5; at++) {
    const ping = (await client.until(({ type, flags }) => type === PING && !(flags & ACK))).at(-1)!;
    await client.send(frame(PING, ACK, 0, ping.payload));
  }
  assert.ok(await client.isAlive());
});

Deno.test("a request that never ends is reset after requestMs, whatever it asks for", async () => {
  await using server = await startServer({ limits: { requestMs: 50 } });
  const requests = {
    "without DATA": head(1, ECHO),
    "with half a message": concat([head(1, ECHO), data(1, grpcMessage(LARGE).subarray(0, 1_000))]),
    "of a method that is not there": head(1, "/test.v1.Test/Missing"),
    "that is not gRPC": head(1, ECHO, [["content-type", "text/plain"]]),
  };
  for (const [what, request] of Object.entries(requests)) {
    using client = await openRaw(server.port, PATIENT);
    await client.send(request);
    const end = (await client.until(isEnd(1))).at(-1);
    assert.ok(end && isEnd(1)(end), what);
    assert.ok(await client.isAlive());
  }
});

Deno.test("a header block that never ends closes the connection after requestMs", async () => {
  await using server = await startServer({ limits: { requestMs: 50 } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, ECHO));
  assert.equal(await outcome(client, 1), OK);
  await client.send(frame(1, 0, 3, Uint8Array.of(0x82)));
  assert.equal(await outcome(client, 3), "GOAWAY 11");
});

Deno.test("a streaming request may take as long as it likes", async () => {
  const held = new HeldCalls({ known: true });
  await using server = await startServer({ methods: { [STREAM]: held.stream }, limits: { requestMs: 1 } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(head(1, STREAM));
  for (let at = 0; at < 50; at++) assert.ok(await client.isAlive());
  held.release();
  assert.equal(await outcome(client, 1), OK);
});

Deno.test("bytes of incomplete messages have a budget, larger once a call is authenticated", async () => {
  const messageBytes = 60_000;
  await using server = await startServer({ messageBytes, limits: { strangerStreams: 32 } });
  const message = grpcMessage(new Uint8Array(messageBytes));
  const begin = (stream: number) => concat([head(stream, ECHO), data(stream, message.subarray(0, 50_000))]);
  const finish = (stream: number) => data(stream, message.subarray(50_000), true);
  for (const known of [false, true]) {
    using client = await openRaw(server.port, PATIENT);
    if (known) {
      await client.send(call(1, ECHO));
      assert.equal(await outcome(client, 1), OK);
    }
    const announced = Array.from({ length: 20 }, (_, at) => 3 + at * 2);
    for (const stream of announced) {
      await client.send(concat([head(stream, ECHO), data(stream, message.subarray(0, 5))]));
    }
    await client.send(concat([begin(101), begin(103), begin(105), finish(105)]));
    assert.equal(await outcome(client, 105), known ? OK : "grpc-status 8");
    // What a call that has ended held counts no more.
    await client.send(concat([101, 103, ...announced].map((stream) => reset(stream))));
    await client.send(call(107, ECHO, new Uint8Array(messageBytes)));
    assert.equal(await outcome(client, 107), OK);
  }
});
