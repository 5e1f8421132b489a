/** Shutdown of a server and a connection: GOAWAY, running calls, the limit, the age of a connection, health. */
import assert from "node:assert/strict";
import { Channel, createHealth, readMessage, writeMessage } from "../../grpc/mod.ts";
import {
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Serving,
  HealthCheckResponseSchema,
} from "../../grpc/gen/grpc/health/v1/health_pb.ts";
import { ACK, frame, GOAWAY, PING, readUint32 } from "../attack/frames.ts";
import { Changes } from "./changes.ts";
import { HeldCalls } from "./held_calls.ts";
import { ECHO, echo, HELD, startServer, STREAM } from "./in_process.ts";
import { openRaw, type RawClient } from "./raw_client.ts";
import { call, outcome, REFUSED_STREAM } from "./raw_calls.ts";

const PATIENT = { patienceMs: 30_000 };
const OK = "grpc-status 0";
const LAST_OF_ALL = 2 ** 31 - 1;

Deno.test("closing says GOAWAY twice, finishes calls that run or arrive in between, and refuses later ones", async () => {
  const held = new HeldCalls({ known: true });
  await using server = await startServer({ methods: { [HELD]: held.unary, [ECHO]: echo } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, HELD));
  await held.changes.until(() => held.running === 1);
  const closing = server.close(30_000);
  assert.equal(
    lastStreamOf(await nextGoAway(client)),
    LAST_OF_ALL,
    "the first one lets calls on their way through",
  );
  const { payload } = (await client.until(({ type, flags }) => type === PING && flags === 0)).at(-1)!;
  await client.send(call(3, ECHO));
  assert.equal(await outcome(client, 3), OK);
  await client.send(frame(PING, ACK, 0, payload));
  assert.equal(lastStreamOf(await nextGoAway(client)), 3);
  await client.send(call(5, ECHO));
  assert.equal(await outcome(client, 5), `RST_STREAM ${REFUSED_STREAM}`);
  assert.equal(held.running, 1);
  held.release();
  assert.equal(await outcome(client, 1), OK);
  await client.ended;
  await closing;
});

Deno.test("a closing server accepts no connection and frees its port", async () => {
  const held = new HeldCalls({ known: true });
  await using server = await startServer({ methods: { [HELD]: held.unary } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, HELD));
  await held.changes.until(() => held.running === 1);
  const closing = server.close(30_000);
  await nextGoAway(client);
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: server.port }));
  held.release();
  await client.ended;
  await closing;
  using _again = Deno.listen({ hostname: "127.0.0.1", port: server.port });
});

Deno.test("closing cuts what is left after the limit, and aborts its handlers", async () => {
  const held = new HeldCalls({ known: true, stopsEarly: true });
  await using server = await startServer({ methods: { [HELD]: held.unary, [STREAM]: held.stream } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, HELD));
  await client.send(call(3, STREAM));
  await held.changes.until(() => held.running === 2);
  await server.close(50);
  assert.equal(held.aborted, 2);
  await client.ended;
  await held.changes.until(() => held.running === 0);
});

Deno.test("closing does not wait long for a client that has no calls and stays", async () => {
  await using server = await startServer({});
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, ECHO));
  assert.equal(await outcome(client, 1), OK);
  await server.close(600_000);
  await client.ended;
});

Deno.test("a connection is asked to go at its age, and cut after the grace", async () => {
  const held = new HeldCalls({ known: true, stopsEarly: true });
  await using server = await startServer({
    methods: { [HELD]: held.unary },
    limits: { ageMs: 50, ageGraceMs: 100, lingerMs: 10 },
  });
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, HELD));
  await held.changes.until(() => held.running === 1);
  assert.equal(lastStreamOf(await nextGoAway(client)), LAST_OF_ALL);
  assert.equal(
    lastStreamOf(await nextGoAway(client)),
    1,
    "the second one comes without an answer to the PING too",
  );
  await client.ended;
  await held.changes.until(() => held.running === 0);
  assert.equal(held.aborted, 1);
});

Deno.test("a call that ends within the grace ends well, and its connection with it", async () => {
  const held = new HeldCalls({ known: true });
  await using server = await startServer({
    methods: { [HELD]: held.unary },
    limits: { ageMs: 50, ageGraceMs: 60_000, lingerMs: 10 },
  });
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, HELD));
  await nextGoAway(client);
  await nextGoAway(client);
  held.release();
  assert.equal(await outcome(client, 1), OK);
  await client.ended;
});

Deno.test("calls of a channel never fail because connections grow old", async () => {
  await using server = await startServer({ limits: { ageMs: 30, ageGraceMs: 10_000, lingerMs: 10 } });
  using channel = new Channel(new URL(`http://127.0.0.1:${server.port}`));
  const since = performance.now();
  let calls = 0;
  for (; performance.now() - since < 500 || calls < 200; calls += 5) {
    await Promise.all(Array.from({ length: 5 }, () => channel.unary(ECHO, Uint8Array.of(1))));
  }
  assert.ok(calls >= 200);
});

Deno.test("health: Check, List and Watch return the status, Watch every change, and the end ends Watch", async () => {
  const health = createHealth(["shop.v1.Cart"]);
  await using server = await startServer({ methods: health.methods });
  using channel = new Channel(new URL(`http://127.0.0.1:${server.port}`));
  const path = (method: string) => `/grpc.health.v1.Health/${method}`;
  const ask = (service: string) => writeMessage(HealthCheckRequestSchema, { service });
  const read = (bytes: Uint8Array) => readMessage(HealthCheckResponseSchema, bytes).status;
  const check = async (service: string) => read(await channel.unary(path("Check"), ask(service)));

  assert.equal(await check(""), Serving.NOT_SERVING);
  const changes = new Changes();
  const seen: Serving[] = [];
  const unknown = channel.stream(path("Watch"), ask("shop.v1.Missing"));
  assert.equal(read((await unknown.next()).value!), Serving.SERVICE_UNKNOWN);
  await unknown.return(undefined);
  const watching = (async () => {
    for await (const bytes of channel.stream(path("Watch"), ask("shop.v1.Cart"))) {
      seen.push(read(bytes));
      changes.notify();
    }
  })();
  const ended = assert.rejects(watching, { status: "UNAVAILABLE" });
  await changes.until(() => seen.length === 1);
  health.setServing(true);
  await changes.until(() => seen.length === 2);
  health.setServing(true); // no change
  assert.equal(await check("shop.v1.Cart"), Serving.SERVING);
  health.setServing(false);
  await changes.until(() => seen.length === 3);
  assert.deepEqual(seen, [Serving.NOT_SERVING, Serving.SERVING, Serving.NOT_SERVING]);
  await assert.rejects(check("shop.v1.Missing"), { status: "NOT_FOUND" });
  await server.close(50);
  await ended;
});

async function nextGoAway(client: RawClient) {
  const frame = (await client.until(({ type }) => type === GOAWAY)).at(-1);
  assert.equal(frame?.type, GOAWAY);
  assert.equal(readUint32(frame!.payload, 4), 0, "NO_ERROR");
  return frame!;
}

function lastStreamOf({ payload }: { payload: Uint8Array }): number {
  return readUint32(payload, 0);
}
