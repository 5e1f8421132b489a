/**
 * Errors of the server, or of the program that uses it: one connection ends, the others and the process keep
 * running.
 */
import assert from "node:assert/strict";
import { type Call, type Method, type ServeOptions } from "../../grpc/mod.ts";
import { concat, INITIAL_WINDOW_SIZE, settings, windowUpdate } from "../attack/frames.ts";
import { call, outcome } from "./raw_calls.ts";
import { ECHO, echo, type InProcess, startServer } from "./in_process.ts";
import { openRaw } from "./raw_client.ts";

const PATIENT = { patienceMs: 30_000 };
const BROKEN = "/test.v1.Test/Broken";
const DEFECT = "GOAWAY 2";

function unary(handle: (call: Call) => unknown): Method {
  return { kind: "unary", handle: (_, call) => handle(call) as Uint8Array };
}

const fails = () => {
  throw new Error("the handler fails");
};
const conversionFails: Partial<ServeOptions> = {
  toGrpcError() {
    throw new Error("the conversion fails");
  },
};

const DEFECTS: Record<string, { method: Method; options?: Partial<ServeOptions> }> = {
  "toGrpcError that throws at once": { method: unary(fails), options: conversionFails },
  "toGrpcError that throws later": {
    method: unary(async () => {
      await Promise.resolve();
      fails();
    }),
    options: conversionFails,
  },
  "toGrpcError that throws for a stream": {
    method: { kind: "stream", handle: fails },
    options: conversionFails,
  },
  "a trailer that cannot be sent, found out when the socket has room": {
    method: unary((call) => {
      call.setTrailer("x-trailer", "☺");
      return new Uint8Array(40_000);
    }),
    options: { limits: { unsentBytes: 1_000 } },
  },
  "a header that cannot be sent, found out at the deadline": {
    method: unary((call) => {
      call.setHeader("x-header", "☺");
      return new Promise(() => {});
    }),
  },
  "a header that cannot be sent": {
    method: unary((call) => {
      call.setHeader("x-header", "☺");
      return new Uint8Array(0);
    }),
  },
  "a header that cannot be sent, found out later": {
    method: unary(async (call) => {
      await Promise.resolve();
      call.setHeader("x-header", "☺");
      return new Uint8Array(0);
    }),
  },
};

for (const [what, { method, options }] of Object.entries(DEFECTS)) {
  Deno.test(`${what} ends its connection only, and is reported`, async () => {
    await using server = await startServer({ methods: { [BROKEN]: method, [ECHO]: echo }, ...options });
    using innocent = await openRaw(server.port, PATIENT);
    using client = await openRaw(server.port, PATIENT);
    await client.send(
      call(1, BROKEN, undefined, [["grpc-timeout", what.includes("deadline") ? "20m" : "60S"]]),
    );
    assert.equal(await outcome(client, 1), DEFECT);
    await client.ended;
    await assertDefect(server);
    await innocent.send(call(1, ECHO));
    assert.equal(await outcome(innocent, 1), "grpc-status 0");
    if (!what.includes("deadline")) assert.equal(server.load.calls, 0);
  });
}

const NO_BYTES: Record<string, Method> = {
  "returns nothing": unary(() => undefined),
  "resolves with nothing": unary(() => Promise.resolve(undefined)),
  "returns what is not iterable": { kind: "stream", handle: () => undefined as never },
  "yields what is not bytes": {
    kind: "stream",
    async *handle() {
      yield undefined as never;
    },
  },
};

for (const [what, method] of Object.entries(NO_BYTES)) {
  Deno.test(`a handler that ${what} has failed: its call is INTERNAL, and the connection lives`, async () => {
    await using server = await startServer({ methods: { [BROKEN]: method } });
    using client = await openRaw(server.port, PATIENT);
    await client.send(call(1, BROKEN));
    assert.equal(await outcome(client, 1), "grpc-status 13");
    assert.ok(await client.isAlive());
    assert.equal(server.load.calls, 0);
  });
}

Deno.test("a handler that fails after its deadline, while its answer waits for the client, is no defect", async () => {
  const ended = Promise.withResolvers<void>();
  await using server = await startServer({
    methods: {
      [BROKEN]: {
        kind: "stream",
        async *handle() {
          try {
            yield new Uint8Array(100);
          } finally {
            ended.resolve();
            // deno-lint-ignore no-unsafe-finally -- what is tested
            throw new Error("given up");
          }
        },
      },
    },
  });
  using client = await openRaw(server.port, PATIENT);
  const narrow = settings([INITIAL_WINDOW_SIZE, 50]);
  await client.send(concat([narrow, call(1, BROKEN, undefined, [["grpc-timeout", "30m"]])]));
  await client.until(({ type }) => type === 0);
  await ended.promise;
  await client.send(windowUpdate(1, 1_000));
  assert.equal(await outcome(client, 1), "grpc-status 4");
  assert.ok(await client.isAlive());
});

Deno.test("a listener of events that throws does not end the process", async () => {
  await using server = await startServer({
    methods: { [BROKEN]: unary(fails), [ECHO]: echo },
    ...conversionFails,
    limits: { connections: 2 },
    onEvent() {
      throw new Error("the log is full");
    },
  });
  using client = await openRaw(server.port, PATIENT);
  using other = await openRaw(server.port, PATIENT);
  await other.send(call(1, ECHO));
  assert.equal(await outcome(other, 1), "grpc-status 0");
  await client.send(call(1, ECHO));
  assert.equal(await outcome(client, 1), "grpc-status 0");
  using refused = await openRaw(server.port, PATIENT);
  await refused.ended; // reported as "full"
  await client.send(call(3, BROKEN));
  assert.equal(await outcome(client, 3), DEFECT);
  await assertDefect(server);
  await other.send(call(3, ECHO));
  assert.equal(await outcome(other, 3), "grpc-status 0");
});

/** Waits for one reported defect, and takes it from the events so that disposal does not fail. */
async function assertDefect(server: InProcess): Promise<void> {
  const isDefect = ({ type }: { type: string }) => type === "defect";
  await server.changes.until(() => server.events.some(isDefect));
  assert.equal(server.events.filter(isDefect).length, 1);
  server.events.splice(0, server.events.length);
}
