/** Frames and streams that cost a server work and bring no request further: each kind ends its connection. */
import assert from "node:assert/strict";
import { PRICE, STRANGER_FLOOD } from "../../grpc/http2/flood.ts";
import {
  concat,
  CONTINUATION,
  END_HEADERS,
  END_STREAM,
  type Fields,
  frame,
  grpcMessage,
  HEADERS,
  indexedLiteral,
  literals,
  NEWEST_ENTRY,
  PING,
  ping,
  PRIORITY,
  repeat,
  reset,
  SETTINGS,
  settings,
  windowUpdate,
} from "../attack/frames.ts";
import { HeldCalls } from "./held_calls.ts";
import { heldMegabytes } from "../memory.ts";
import { ECHO, echo, HELD, type InProcess, startServer, STRANGER, stranger, STREAM } from "./in_process.ts";
import { openRaw } from "./raw_client.ts";
import {
  call,
  data,
  ENHANCE_YOUR_CALM,
  fieldsOf,
  head,
  isEnd,
  isGoAway,
  outcome,
  REFUSED_STREAM,
} from "./raw_calls.ts";

const PATIENT = { patienceMs: 30_000 };
const CALM = `GOAWAY ${ENHANCE_YOUR_CALM}`;
const REFUSED = `RST_STREAM ${REFUSED_STREAM}`;
const OK = "grpc-status 0";
const GOAWAY = 7;

/** Frames of one kind, sent while call 1 is open and streams its request. */
const FLOODS: Record<string, { price: number; flood: Uint8Array }> = {
  "PING": { price: PRICE.ping, flood: ping() },
  "acknowledged PING": { price: PRICE.ping, flood: frame(PING, 1, 0, new Uint8Array(8)) },
  "SETTINGS": { price: PRICE.settings, flood: settings() },
  "acknowledged SETTINGS": { price: PRICE.unknown, flood: frame(SETTINGS, 1, 0) },
  "SETTINGS of 2,000 entries": {
    price: PRICE.settings * 63,
    flood: settings(...Array.from({ length: 2_000 }, (): [number, number] => [4, 65_535])),
  },
  "PRIORITY": { price: PRICE.priority, flood: frame(PRIORITY, 0, 1, new Uint8Array(5)) },
  "WINDOW_UPDATE of 1 byte for the connection": { price: PRICE.windowUpdate, flood: windowUpdate(0, 1) },
  "WINDOW_UPDATE of 1 byte for a stream": { price: PRICE.windowUpdate, flood: windowUpdate(1, 1) },
  "GOAWAY": { price: PRICE.settings, flood: frame(GOAWAY, 0, 0, new Uint8Array(8)) },
  "frames of an unknown type": { price: PRICE.unknown, flood: frame(0x42, 0, 0, new Uint8Array(20)) },
  "empty DATA": { price: PRICE.smallData, flood: data(1, new Uint8Array(0)) },
  // Each five of these bytes are an empty message, which has its own price.
  "DATA of 1 byte": { price: PRICE.smallData + PRICE.strangerMessage / 5, flood: data(1, new Uint8Array(1)) },
};

for (const [kind, { price, flood }] of Object.entries(FLOODS)) {
  Deno.test(`a flood of ${kind} ends the connection with ENHANCE_YOUR_CALM`, async () => {
    const held = new HeldCalls({ stopsEarly: true });
    await using server = await startServer({ methods: { [STREAM]: held.stream } });
    using client = await openRaw(server.port, PATIENT);
    const begun = head(1, STREAM);
    await client.send(begun);
    await held.changes.until(() => held.running === 1);
    const affordable = Math.floor((STRANGER_FLOOD.burst - 200) / price);
    await client.send(repeat(flood, affordable));
    assert.ok(await client.isAlive(), "a few are no flood");
    await client.send(repeat(flood, affordable * 10));
    assert.equal(await outcome(client, 99), CALM);
    await client.ended;
    await held.changes.until(() => held.running === 0);
  });
}

Deno.test("header blocks in many CONTINUATION frames end the connection", async () => {
  await using server = await startServer({});
  const fields = literals(fieldsOf(STRANGER));
  const split = (stream: number, parts: number) => {
    const size = Math.ceil(fields.length / (parts + 1));
    return concat(
      Array.from({ length: parts + 1 }, (_, at) =>
        frame(
          at === 0 ? HEADERS : CONTINUATION,
          (at === 0 ? END_STREAM : 0) | (at === parts ? END_HEADERS : 0),
          stream,
          fields.subarray(at * size, (at + 1) * size),
        )),
    );
  };
  for (
    const { parts, expected } of [{ parts: 8, expected: "grpc-status 12" }, { parts: 9, expected: CALM }]
  ) {
    using client = await openRaw(server.port, PATIENT);
    await client.send(split(1, parts));
    assert.equal(await outcome(client, 1), expected, `${parts} CONTINUATION frames`);
  }
  using client = await openRaw(server.port, PATIENT);
  const open = frame(HEADERS, 0, 1, fields);
  await client.send(concat([open, repeat(frame(CONTINUATION, 0, 1), 9)]));
  assert.equal(await outcome(client, 1), CALM, "empty CONTINUATION frames");
});

Deno.test("each CONTINUATION frame costs, even in blocks with few of them", async () => {
  await using server = await startServer({});
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, ECHO));
  assert.equal(await outcome(client, 1), OK);
  const fields = literals(fieldsOf(ECHO));
  // A call without a message: its answer earns 4, its CONTINUATION frames cost 16.
  const block = (stream: number) =>
    concat([
      frame(HEADERS, END_STREAM, stream, fields),
      repeat(frame(CONTINUATION, 0, stream), 7),
      frame(CONTINUATION, END_HEADERS, stream),
    ]);
  for (let stream = 3; stream < 3_000; stream += 2) await client.send(block(stream));
  assert.equal(await outcome(client, 99_999), CALM);
});

Deno.test("a header block over its size ends the connection, whole or in parts", async () => {
  await using server = await startServer({});
  const half = literals([["x-large", "x".repeat(8_500)]]);
  const whole = concat([half, half]).subarray(0, 16_384);
  const inParts = concat([frame(HEADERS, END_STREAM, 1, half), frame(CONTINUATION, END_HEADERS, 1, half)]);
  using client = await openRaw(server.port, PATIENT);
  await client.send(inParts);
  assert.equal(await outcome(client, 1), CALM);
  await using narrow = await startServer({ limits: { headerBlockBytes: 10_000 } });
  using other = await openRaw(narrow.port, PATIENT);
  await other.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, whole));
  assert.equal(await outcome(other, 1), CALM);
});

Deno.test("a header list over its size refuses its stream and keeps HPACK in step", async () => {
  await using server = await startServer({ limits: { headerListBytes: 2_000 } });
  using client = await openRaw(server.port, PATIENT);
  const fits: Fields = [["x-padding", "x".repeat(1_000)]];
  await client.send(call(1, ECHO, undefined, fits));
  assert.equal(await outcome(client, 1), OK);
  // The refused block adds an entry to the dynamic table, which the next block refers to.
  const refused = concat([
    literals(fieldsOf(ECHO, [["x-padding", "x".repeat(2_000)]])),
    indexedLiteral("grpc-timeout", "soon"),
  ]);
  await client.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, refused));
  assert.equal(await outcome(client, 3), `RST_STREAM ${ENHANCE_YOUR_CALM}`);
  const next = concat([literals(fieldsOf(ECHO)), Uint8Array.of(NEWEST_ENTRY)]);
  await client.send(frame(HEADERS, END_HEADERS | END_STREAM, 5, next));
  assert.equal(await outcome(client, 5), "grpc-status 13", "the server read grpc-timeout from its table");
  await client.send(call(7, ECHO));
  assert.equal(await outcome(client, 7), OK);
});

Deno.test("an HPACK bomb of references is refused without being unpacked", async () => {
  await using server = await startServer({});
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, ECHO));
  assert.equal(await outcome(client, 1), OK);
  const entry = indexedLiteral("x-large", "x".repeat(4_000));
  const bomb = (stream: number, first: Uint8Array = new Uint8Array(0)) =>
    frame(
      HEADERS,
      END_HEADERS | END_STREAM,
      stream,
      concat([
        first,
        literals(fieldsOf(ECHO)),
        new Uint8Array(12_000 - first.length).fill(NEWEST_ENTRY),
      ]),
    );
  const before = heldMegabytes();
  await client.send(bomb(3, entry));
  assert.equal(await outcome(client, 3), `RST_STREAM ${ENHANCE_YOUR_CALM}`);
  await client.send(call(5, ECHO));
  assert.equal(await outcome(client, 5), OK, "one bomb leaves the connection usable");
  for (let stream = 7; stream < 200; stream += 2) await client.send(bomb(stream));
  assert.equal(await outcome(client, 99_999), CALM);
  assert.ok(heldMegabytes() - before < 10);
});

Deno.test("many header fields cost, although each call is answered", async () => {
  await using server = await startServer({});
  using client = await openRaw(server.port, PATIENT);
  const many: Fields = Array.from({ length: 300 }, () => ["x", "1"] as const);
  await client.send(call(1, ECHO));
  assert.equal(await outcome(client, 1), OK);
  // 300 fields cost 18 tokens, an answer earns 4, and 10,000 are there.
  const block = literals(fieldsOf(ECHO, many));
  const body = grpcMessage();
  for (let round = 0, stream = 1; round < 20; round++) {
    const calls = Array.from({ length: 90 }, () => {
      stream += 2;
      return concat([frame(HEADERS, END_HEADERS, stream, block), data(stream, body, true)]);
    });
    await client.send(concat(calls));
    const seen = await client.until((frame) => isEnd(stream)(frame) || isGoAway(frame));
    if (seen.some(isGoAway)) return await client.ended;
  }
  assert.fail("1,800 calls with 300 fields each were answered");
});

/** Each way to make room for a new stream without waiting for the handler of the old one. */
const FREEING: Record<string, (stream: number) => Uint8Array> = {
  "rapid reset": (stream) => reset(stream),
  "a reset that DATA after the end provokes": (stream) => data(stream, new Uint8Array(100)),
  "a reset that WINDOW_UPDATE of 0 provokes": (stream) => windowUpdate(stream, 0),
  "a reset that a window overflow provokes": (stream) => windowUpdate(stream, 2 ** 31 - 1),
};

for (const [way, freeing] of Object.entries(FREEING)) {
  for (const known of [false, true]) {
    Deno.test(`${way} runs no more handlers than there are streams, ${known ? "known" : "stranger"}`, async () => {
      const held = new HeldCalls();
      await using server = await startServer({
        methods: { [HELD]: held.unary, [ECHO]: echo, [STRANGER]: stranger },
        limits: { strangerStreams: 5, streams: 20 },
      });
      using client = await openRaw(server.port, PATIENT);
      await client.send(call(1, known ? ECHO : STRANGER));
      assert.equal(await outcome(client, 1), OK);
      const limit = known ? 20 : 5;
      let stream = 1;
      const attack = (count: number) =>
        client.send(
          concat(Array.from({ length: count }, () => concat([call(stream += 2, HELD), freeing(stream)]))),
        );
      await attack(limit + 10);
      assert.ok(await client.isAlive());
      assert.equal(held.running, limit);
      const refused = stream += 2;
      await client.send(call(refused, known ? ECHO : STRANGER));
      assert.equal(await outcome(client, refused), REFUSED);
      held.release();
      await held.changes.until(() => held.running === 0);
      const taken = stream += 2;
      await client.send(call(taken, known ? ECHO : STRANGER));
      assert.equal(await outcome(client, taken), OK);
      for (let round = 0; round < 60; round++) await attack(100);
      assert.equal(await outcome(client, 99_999), CALM);
      assert.equal(held.most, limit);
    });
  }
}

Deno.test("a peer that authenticates nothing has a budget of calls", async () => {
  await using server = await startServer({});
  using client = await openRaw(server.port, PATIENT);
  let answered = 0;
  for (let stream = 1; stream < 20_000; stream += 2) {
    await client.send(call(stream, STRANGER));
    const seen = await outcome(client, stream);
    if (seen === CALM) break;
    assert.equal(seen, OK);
    answered++;
  }
  // A call costs 10, its answer earns 4, and 200 come back each second.
  assert.ok(answered >= 150 && answered < 9_000, `${answered} calls`);
});

Deno.test("a client that sends frames in proportion to its calls is never cut off", async () => {
  await using server = await startServer({});
  using client = await openRaw(server.port, PATIENT);
  const message = new Uint8Array(100);
  for (let batch = 0, stream = -1; batch < 100; batch++) {
    const frames: Uint8Array[] = [];
    for (let at = 0; at < (batch === 0 ? 1 : 50); at++) {
      stream += 2;
      frames.push(call(stream, ECHO, message), windowUpdate(0, 105));
      if (at % 10 === 0) frames.push(ping());
    }
    await client.send(concat(frames));
    assert.equal(await outcome(client, stream), OK);
  }
  assert.ok(await client.isAlive());
});

Deno.test("a client that cancels each of its calls after the answer began is never cut off", async () => {
  const held = new HeldCalls({ known: true, stopsEarly: true });
  await using server: InProcess = await startServer({ methods: { [STREAM]: held.stream } });
  using client = await openRaw(server.port, PATIENT);
  for (let at = 0, stream = 1; at < 500; at++, stream += 2) {
    await client.send(concat([head(stream, STREAM), data(stream, grpcMessage())]));
    await client.until(({ type, stream: of }) => type === 0 && of === stream);
    await client.send(reset(stream));
  }
  assert.ok(await client.isAlive());
  await held.changes.until(() => held.running === 0);
  assert.equal(held.begun, 500);
});
