/** Deadlines and cancellation of calls, as the handler and the caller see them. */
import assert from "node:assert/strict";
import { GrpcError, type Method } from "../../grpc/mod.ts";
import { concat, grpcMessage, reset } from "../attack/frames.ts";
import { HeldCalls } from "./held_calls.ts";
import { ECHO, echo, HELD, startServer, STREAM } from "./in_process.ts";
import { openRaw } from "./raw_client.ts";
import { call, data, head, isEnd, outcome } from "./raw_calls.ts";

const PATIENT = { patienceMs: 30_000 };
const EXPIRED = "grpc-status 4";

for (const timeout of ["0m", "0S", "1n"]) {
  Deno.test(`grpc-timeout ${timeout} is DEADLINE_EXCEEDED, and no handler runs`, async () => {
    const held = new HeldCalls();
    await using server = await startServer({ methods: { [HELD]: held.unary, [STREAM]: held.stream } });
    using client = await openRaw(server.port, PATIENT);
    for (const [stream, path] of [[1, HELD], [3, STREAM]] as const) {
      await client.send(call(stream, path, undefined, [["grpc-timeout", timeout]]));
      assert.equal(await outcome(client, stream), EXPIRED);
    }
    assert.equal(held.begun, 0);
    assert.equal(server.load.calls, 0);
  });
}

Deno.test("a deadline that passes while the request arrives is DEADLINE_EXCEEDED, and no handler runs", async () => {
  const held = new HeldCalls();
  await using server = await startServer({ methods: { [HELD]: held.unary } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(head(1, HELD, [["grpc-timeout", "30m"]]));
  assert.equal(await outcome(client, 1), EXPIRED);
  await client.send(data(1, grpcMessage(), true));
  assert.ok(await client.isAlive());
  assert.equal(held.begun, 0);
});

for (const [kind, path] of [["unary", HELD], ["streaming", STREAM]] as const) {
  const startHeld = async () => {
    const held = new HeldCalls({ stopsEarly: true });
    const server = await startServer({ methods: { [HELD]: held.unary, [STREAM]: held.stream } });
    return { held, server };
  };

  Deno.test(`a deadline aborts the handler of a ${kind} call`, async () => {
    const { held, server } = await startHeld();
    await using _ = server;
    using client = await openRaw(server.port, PATIENT);
    await client.send(call(1, path, undefined, [["grpc-timeout", "50m"]]));
    const frames = await client.until(isEnd(1));
    assert.equal(frames.at(-1)!.fields?.get("grpc-status"), "4");
    assert.equal(frames.some(({ type }) => type === 0), kind === "streaming", "what was sent before stays");
    await held.changes.until(() => held.running === 0);
    assert.equal(held.aborted, 1);
  });

  Deno.test(`a reset by the caller aborts the handler of a ${kind} call`, async () => {
    const { held, server } = await startHeld();
    await using _ = server;
    using client = await openRaw(server.port, PATIENT);
    await client.send(call(1, path));
    await held.changes.until(() => held.running === 1);
    await client.send(reset(1));
    await held.changes.until(() => held.running === 0);
    assert.equal(held.aborted, 1);
    assert.ok(await client.isAlive());
  });

  Deno.test(`the loss of the connection aborts the handler of a ${kind} call`, async () => {
    const { held, server } = await startHeld();
    await using _ = server;
    {
      using client = await openRaw(server.port, PATIENT);
      await client.send(call(1, path));
      await held.changes.until(() => held.running === 1);
    }
    await held.changes.until(() => held.running === 0);
    assert.equal(held.aborted, 1);
  });
}

Deno.test("a handler that fails after the deadline shows DEADLINE_EXCEEDED, not its own failure", async () => {
  const late: Method = {
    kind: "unary",
    handle(_, call) {
      while (call.isWanted); // blocks the event loop, so that the handler is the first to notice
      throw new GrpcError("UNAVAILABLE", "The database is out of reach");
    },
  };
  const later: Method = {
    kind: "unary",
    async handle(request, call) {
      await Promise.resolve();
      return late.kind === "unary" ? late.handle(request, call) : request;
    },
  };
  await using server = await startServer({ methods: { [ECHO]: late, [HELD]: later } });
  using client = await openRaw(server.port, PATIENT);
  for (const [stream, path] of [[1, ECHO], [3, HELD]] as const) {
    await client.send(call(stream, path, undefined, [["grpc-timeout", "30m"]]));
    assert.equal(await outcome(client, stream), EXPIRED);
  }
});

Deno.test("a reader of requests receives the cancellation as CANCELLED", async () => {
  const heard = Promise.withResolvers<unknown>();
  const reading: Method = {
    kind: "stream",
    async *handle(requests) {
      try {
        yield* requests;
      } catch (error) {
        heard.resolve(error);
        throw error;
      }
    },
  };
  await using server = await startServer({ methods: { [STREAM]: reading } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(concat([head(1, STREAM), data(1, grpcMessage())]));
  await client.until(({ type }) => type === 0);
  await client.send(reset(1));
  const error = await heard.promise;
  assert.ok(error instanceof GrpcError);
  assert.equal(error.status, "CANCELLED");
});

Deno.test("thousands of deadlines at once expire, each call with its own status", async () => {
  const held = new HeldCalls({ stopsEarly: true, known: true });
  await using server = await startServer({ methods: { [HELD]: held.unary, [ECHO]: echo } });
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, ECHO));
  assert.equal(await outcome(client, 1), "grpc-status 0");
  for (let round = 0, stream = 1; round < 20; round++) {
    const calls = Array.from(
      { length: 100 },
      (_, at) => call(stream += 2, HELD, undefined, [["grpc-timeout", `${10 + at % 20}m`]]),
    );
    const ended = new Map<number, string | undefined>();
    await client.send(concat(calls));
    await client.until((frame) => {
      // A reset may follow an answer that came before the whole request.
      if (frame.stream > 0 && isEnd(frame.stream)(frame) && !ended.has(frame.stream)) {
        ended.set(frame.stream, frame.fields?.get("grpc-status"));
      }
      return ended.size === 100;
    });
    assert.deepEqual([...new Set(ended.values())], ["4"]);
    await held.changes.until(() => held.running === 0);
  }
});
