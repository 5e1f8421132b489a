/** Connections of peers that have authenticated nothing: how many, how long, and what authentication changes. */
import assert from "node:assert/strict";
import { frame, PREFACE, readUint32, SETTINGS, settings } from "../attack/frames.ts";
import { createAuthority } from "../rpc/certificates.ts";
import { HeldCalls } from "./held_calls.ts";
import { ECHO, echo, HELD, startServer, STRANGER, stranger } from "./in_process.ts";
import { type Arrived, openRaw, type RawClient } from "./raw_client.ts";
import { call, isGoAway, outcome, REFUSED_STREAM } from "./raw_calls.ts";

const PATIENT = { patienceMs: 30_000 };
const OK = "grpc-status 0";
const REFUSED = `RST_STREAM ${REFUSED_STREAM}`;
const MAX_CONCURRENT_STREAMS = 3;

Deno.test("a stranger has 16 streams, and 100 once a call is authenticated", async () => {
  const held = new HeldCalls();
  await using server = await startServer({ methods: { [ECHO]: echo, [HELD]: held.unary } });
  using client = await openRaw(server.port, PATIENT);
  assert.equal(streamsOf(await client.until(isSettings)), 16);
  let stream = 1;
  const fill = async (count: number) => {
    for (let at = 0; at < count; at++) await client.send(call(stream += 2, HELD));
  };
  await fill(16);
  await client.send(call(stream += 2, HELD));
  assert.equal(await outcome(client, stream), REFUSED);
  assert.equal(held.running, 16);
  held.release();
  await held.changes.until(() => held.running === 0);
  await client.send(call(stream += 2, ECHO));
  assert.equal(streamsOf(await client.until(isSettings)), 100);
  await client.until(({ stream: of, type }) => of === stream && type === 1);

  const more = new HeldCalls();
  await using known = await startServer({ methods: { [ECHO]: echo, [HELD]: more.unary } });
  using other = await openRaw(known.port, PATIENT);
  await other.send(call(1, ECHO));
  assert.equal(await outcome(other, 1), OK);
  for (let id = 3; id < 203; id += 2) await other.send(call(id, HELD));
  await other.send(call(203, ECHO));
  assert.equal(await outcome(other, 203), REFUSED);
  assert.equal(more.running, 100);
  more.release();
});

Deno.test("the oldest stranger makes room for the next, and a known peer stays", async () => {
  await using server = await startServer({ limits: { strangers: 3 } });
  using known = await openCalled(server.port, ECHO);
  using oldest = await openCalled(server.port, STRANGER);
  using second = await openCalled(server.port, STRANGER);
  using third = await openCalled(server.port, STRANGER);
  using fourth = await openCalled(server.port, STRANGER);
  await oldest.ended;
  for (const client of [known, second, third, fourth]) assert.ok(await client.isAlive());
  assert.equal(server.load.connections, 4);
});

Deno.test("an address has its own limit of strangers", async () => {
  await using server = await startServer({ limits: { strangersPerAddress: 1 } });
  using oldest = await openCalled(server.port, STRANGER);
  using next = await openCalled(server.port, STRANGER);
  await oldest.ended;
  assert.ok(await next.isAlive());
});

for (const limit of ["connections", "connectionsPerAddress"] as const) {
  Deno.test(`connections over ${limit} are refused, and reported at most once a minute`, async () => {
    await using server = await startServer({ limits: { [limit]: 2 } });
    using first = await openCalled(server.port, ECHO);
    {
      using _second = await openCalled(server.port, ECHO);
      for (let at = 0; at < 3; at++) {
        using refused = await openRaw(server.port);
        await refused.ended;
      }
      assert.deepEqual(server.events, [{ type: "refused", refused: 1, connections: 2 }]);
    }
    assert.ok(await first.isAlive());
    await untilLoad(server, 1);
    using third = await openCalled(server.port, ECHO);
    assert.ok(await third.isAlive());
    assert.deepEqual(server.events, [{ type: "refused", refused: 1, connections: 2 }]);
  });
}

Deno.test("new connections of an address have a budget, and one that authenticates pays nothing", async () => {
  const limits = { newBurst: 3, newPerSecond: 0 };
  await using server = await startServer({ limits });
  for (let at = 0; at < 10; at++) {
    using client = await openCalled(server.port, ECHO);
    assert.ok(await client.isAlive());
  }
  for (let at = 0; at < 3; at++) {
    using client = await openCalled(server.port, STRANGER);
    assert.ok(await client.isAlive());
  }
  using refused = await openRaw(server.port);
  await refused.ended;
  assert.equal((await refused.until(() => false)).length, 0);
});

const SILENCES: Record<string, Uint8Array> = {
  "nothing": new Uint8Array(0),
  "half a preface": PREFACE.subarray(0, 12),
  "a preface": PREFACE,
  "a preface and SETTINGS": concatBytes(PREFACE, settings()),
  "half a frame": concatBytes(PREFACE, settings(), frame(SETTINGS, 0, 0, new Uint8Array(6)).subarray(0, 12)),
};

for (const [what, opening] of Object.entries(SILENCES)) {
  Deno.test(`a connection that sends ${what} is closed after firstRequestMs`, async () => {
    await using server = await startServer({ limits: { firstRequestMs: 50, lingerMs: 50 } });
    using client = await openRaw(server.port, { opening, ...PATIENT });
    await client.ended;
    await untilLoad(server, 0);
  });
}

Deno.test("a connection that has had a request outlives firstRequestMs", async () => {
  await using server = await startServer({ limits: { firstRequestMs: 1 } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, STRANGER));
  assert.equal(await outcome(client, 1), OK);
  for (let at = 0; at < 20; at++) assert.ok(await client.isAlive());
});

Deno.test("a TLS handshake that never ends is cut off after firstRequestMs", async () => {
  const tls = createAuthority("handshakes").issue({ dns: "localhost" });
  await using server = await startServer({ tls, limits: { firstRequestMs: 50 } });
  const hello = Uint8Array.of(22, 3, 1, 2, 0); // header of a record whose 512 bytes never come
  for (const opening of [new Uint8Array(0), hello]) {
    using client = await openRaw(server.port, { opening, ...PATIENT });
    await client.ended;
    await untilLoad(server, 0);
  }
});

Deno.test("a TLS connection without a request is closed after firstRequestMs", async () => {
  const authority = createAuthority("silence");
  const tls = authority.issue({ dns: "localhost" });
  await using server = await startServer({ tls, limits: { firstRequestMs: 300, lingerMs: 50 } });
  using client = await Deno.connectTls({
    hostname: "localhost",
    port: server.port,
    caCerts: [authority.certificate],
    alpnProtocols: ["h2"],
  });
  const buffer = new Uint8Array(1_024);
  while (await client.read(buffer).catch(() => null) !== null);
  await untilLoad(server, 0);
});

Deno.test("an idle stranger is asked to go after strangerIdleMs, and a known peer is not", async () => {
  await using server = await startServer({ limits: { strangerIdleMs: 50 } });
  using known = await openCalled(server.port, ECHO);
  using client = await openCalled(server.port, STRANGER);
  const goAway = (await client.until(isGoAway)).at(-1)!;
  assert.equal(readUint32(goAway.payload, 4), 0, "NO_ERROR");
  await client.ended;
  assert.ok(await known.isAlive());
});

Deno.test("a stranger whose call is under way is not idle", async () => {
  const held = new HeldCalls();
  await using server = await startServer({
    methods: { [HELD]: held.unary, [STRANGER]: stranger },
    limits: { strangerIdleMs: 1 },
  });
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, HELD));
  await held.changes.until(() => held.running === 1);
  for (let at = 0; at < 20; at++) assert.ok(await client.isAlive());
  held.release();
  assert.equal(await outcome(client, 1), OK);
});

/** A connection on which a call was answered. */
async function openCalled(port: number, path: string): Promise<RawClient> {
  const client = await openRaw(port, PATIENT);
  await client.send(call(1, path));
  assert.equal(await outcome(client, 1), OK);
  return client;
}

/** Resolves once the server has as many connections; it hears of an end when it reads it. */
async function untilLoad(server: { load: { connections: number } }, connections: number): Promise<void> {
  const since = performance.now();
  while (server.load.connections !== connections) {
    if (performance.now() - since > 30_000) assert.fail(`${server.load.connections} connections`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function isSettings({ type, flags }: Arrived): boolean {
  return type === SETTINGS && flags === 0;
}

function streamsOf(frames: readonly Arrived[]): number | undefined {
  const { payload } = frames.at(-1)!;
  for (let at = 0; at < payload.length; at += 6) {
    if ((payload[at]! << 8 | payload[at + 1]!) === MAX_CONCURRENT_STREAMS) return readUint32(payload, at + 2);
  }
  return undefined;
}

function concatBytes(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
