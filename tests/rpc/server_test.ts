/** Properties of every gRPC method: errors, deadlines, health, reflection and shutdown. */
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { DomainError, type ErrorCode } from "../../domain/errors.ts";
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../../grpc/gen/grpc/reflection/v1/reflection_pb.ts";
import { Channel, STATUS, writeMessage } from "../../grpc/mod.ts";
import type { CallContext, CustomerMethods } from "../../rpc/contract.ts";
import { type CustomerGrpcServer, type GrpcOptions, serveGrpc } from "../../rpc/server.ts";
import { connect } from "./client.ts";
import { PREFACE } from "./preface.ts";
import { OPEN } from "./serve.ts";

const STATUSES: Record<ErrorCode, string> = {
  INVALID_INPUT: "INVALID_ARGUMENT",
  UNAUTHENTICATED: "UNAUTHENTICATED",
  FORBIDDEN: "PERMISSION_DENIED",
  RECENT_SIGN_IN_REQUIRED: "PERMISSION_DENIED",
  NOT_FOUND: "NOT_FOUND",
  ALREADY_EXISTS: "ALREADY_EXISTS",
  REFUSED_IN_STATE: "FAILED_PRECONDITION",
  CONFLICT: "ABORTED",
  RATE_LIMITED: "RESOURCE_EXHAUSTED",
  UNAVAILABLE: "UNAVAILABLE",
};

for (const [code, status] of Object.entries(STATUSES)) {
  Deno.test(`${code} is sent as ${status}, with its message`, async () => {
    await using server = await serve(() => {
      throw new DomainError(code as ErrorCode, "Cannot do it: Zürich is 100 % full");
    });
    using client = connect(server.port);
    const outcome = await client.groups({});
    assert.deepEqual([outcome.status, outcome.details], [status, "Cannot do it: Zürich is 100 % full"]);
    assert.deepEqual([outcome.reason, outcome.domain], [code, "customer-service"]);
    assert.match(outcome.traceId ?? "", /^[0-9a-f]{32}$/);
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const traced = await client.groups({}, { metadata: { traceparent } });
    assert.equal(traced.traceId, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert.deepEqual(outcome.fields, []);
  });
}

Deno.test("an unexpected error is masked, and logged once without the values of a query", async () => {
  const records: LogRecord[] = [];
  await configure({
    sinks: { kept: (record) => void records.push(record) },
    loggers: [
      { category: ["customer-service", "rpc"], sinks: ["kept"] },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  try {
    await using server = await serve(() => {
      throw new TypeError("Cannot read properties of undefined (reading 'x')");
    });
    using client = connect(server.port);
    const { status, details, reason, traceId } = await client.groups({});
    assert.deepEqual([status, details, reason], ["INTERNAL", "Internal error", "INTERNAL"]);
    assert.deepEqual(records.map(({ level, properties }) => ({ level, ...properties })), [{
      level: "error",
      method: "GetCustomerGroups",
      error: "TypeError: Cannot read properties of undefined (reading '…') at rpc/server_test.ts:62",
      traceId,
    }]);
  } finally {
    await reset();
  }
});

Deno.test("a method has its deadline, and is aborted when it passes", async () => {
  const { promise: seen, resolve: see } = Promise.withResolvers<CallContext>();
  await using server = await serve(async (context) => {
    see(context);
    await aborted(context.signal);
  });
  using client = connect(server.port);
  const started = Date.now();
  assert.equal((await client.groups({}, { withinMs: 300 })).status, "DEADLINE_EXCEEDED");
  const { deadline, signal } = await seen;
  assert.ok(Math.abs(deadline!.getTime() - started - 300) < 100, String(deadline));
  await aborted(signal);
});

Deno.test("a method is aborted when its caller has gone", async () => {
  const { promise: seen, resolve: see } = Promise.withResolvers<CallContext>();
  await using server = await serve(async (context) => {
    see(context);
    await aborted(context.signal);
  });
  using client = connect(server.port);
  const leaving = new AbortController();
  const outcome = client.groups({}, { signal: leaving.signal });
  const { signal } = await seen;
  assert.equal(signal.aborted, false);
  leaving.abort();
  assert.equal((await outcome).status, "CANCELLED");
  await aborted(signal);
});

Deno.test("health follows readiness, for the server and for the service", async () => {
  await using server = await serve();
  using client = connect(server.port);
  for (const service of ["", "io.shopstar.customer.v1.CustomerService"]) {
    assert.equal(await client.health(service), "NOT_SERVING");
    server.setServing(true);
    assert.equal(await client.health(service), "SERVING");
    server.setServing(false);
    assert.equal(await client.health(service), "NOT_SERVING");
  }
  assert.equal(await client.health("another.Service"), "NOT_FOUND");
});

Deno.test("reflection lists every service and describes it, in both versions", async () => {
  await using server = await serve();
  const customers = "io.shopstar.customer.v1.CustomerService";
  const health = "grpc.health.v1.Health";
  for (const version of ["v1", "v1alpha"] as const) {
    const services = await reflect(server.port, version, { case: "listServices", value: "" });
    assert.equal(services.case, "listServicesResponse");
    assert.deepEqual(services.value.service.map(({ name }) => name), [
      customers,
      health,
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ]);
    for (const symbol of [customers, health, `${customers}.GetCustomerGroups`]) {
      const files = await describe(server.port, version, symbol);
      const declared = files.flatMap((file) => file.service.map(({ name }) => `${file.package}.${name}`));
      assert.ok(declared.some((name) => symbol.startsWith(name)), symbol);
      for (const { dependency } of files) {
        for (const path of dependency) assert.ok(files.some(({ name }) => name === path), path);
      }
    }
    const unknown = await reflect(server.port, version, { case: "fileContainingSymbol", value: "a.B" });
    assert.equal(unknown.case === "errorResponse" && unknown.value.errorCode, STATUS.NOT_FOUND);
  }
});

Deno.test("a port in use fails with one sentence", async () => {
  await using server = await serve();
  await assert.rejects(serve(undefined, server.port), {
    message: `Cannot serve gRPC on 127.0.0.1 port ${server.port}: the port is taken`,
  });
});

Deno.test("closing waits for the running call and accepts no new one", async () => {
  const going = Promise.withResolvers<void>();
  const called = Promise.withResolvers<void>();
  const server = await serve(async () => {
    called.resolve();
    await going.promise;
  });
  using client = connect(server.port);
  const outcome = client.groups({});
  await called.promise;
  const closed = server.close();
  using late = connect(server.port);
  assert.equal((await late.groups({}, { withinMs: 1_000 })).status, "UNAVAILABLE");
  going.resolve();
  assert.equal((await outcome).status, "OK");
  await closed;
});

Deno.test("closing cuts off running calls after its limit", async () => {
  const called = Promise.withResolvers<void>();
  const server = await serve(async (context) => {
    called.resolve();
    await aborted(context.signal);
  });
  using client = connect(server.port);
  const outcome = client.groups({});
  await called.promise;
  const started = performance.now();
  await server.close(200);
  assert.ok(performance.now() - started < 5_000);
  assert.notEqual((await outcome).status, "OK");
});

Deno.test("closing does not wait for clients without calls", async () => {
  const server = await serve();
  using client = connect(server.port);
  await client.groups({});
  const started = performance.now();
  await server.close();
  assert.ok(performance.now() - started < 5_000);
});

Deno.test("closing waits neither for silent clients nor for those that ignore GOAWAY", async () => {
  const server = await serve();
  const open = () => Deno.connect({ hostname: "127.0.0.1", port: server.port });
  using silent = await open();
  using staying = await open();
  await staying.write(PREFACE);
  for (const client of [silent, staying]) await client.read(new Uint8Array(9)); // the server's settings
  const started = performance.now();
  await server.close();
  assert.ok(performance.now() - started < 5_000);
});

Deno.test("closing cuts off no client while a call runs, after any silence of the others", async () => {
  const called = Promise.withResolvers<void>();
  const server = await serve(async () => {
    called.resolve();
    await pause(1_500); // longer than clients are given to leave
  });
  using client = connect(server.port);
  const outcome = client.groups({});
  await called.promise;
  await server.close();
  assert.equal((await outcome).status, "OK");
});

Deno.test("a caller that answers no ping is cut off, and one that does keeps its connection", async () => {
  const lostIsCut = Promise.withResolvers<void>();
  await using server = await serve(() => lostIsCut.promise, 0, { keepAliveMs: 100, keepAliveAnswerMs: 200 });
  using client = connect(server.port);
  const outcome = client.groups({});
  using lost = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await lost.write(PREFACE); // and no answer to any ping
  const answer = new Uint8Array(100);
  const end = async () => {
    while (await lost.read(answer) !== null);
  };
  end().then(lostIsCut.resolve, () => {});
  assert.equal((await outcome).status, "OK"); // it waits for that, within its deadline
});

type Method = (context: CallContext) => Promise<void> | void;

async function serve(
  method: Method = () => {},
  port = 0,
  limits?: GrpcOptions["limits"],
): Promise<CustomerGrpcServer & AsyncDisposable> {
  const methods = {
    getCustomerGroups: async (_request: unknown, context: CallContext) => {
      await method(context);
      return { memberships: [], priceListId: "from the method", reason: "NO_GROUP", status: "ACTIVE" };
    },
    getCustomerSnapshot: () => Promise.reject(new Error("not asked for here")),
    confirmErasure: () => Promise.reject(new Error("not asked for here")),
    getNotice: () => Promise.reject(new Error("not asked for here")),
    confirmNotice: () => Promise.reject(new Error("not asked for here")),
  } satisfies CustomerMethods;
  const server = await serveGrpc({
    bind: "127.0.0.1",
    port,
    admit: OPEN,
    methods,
    limits,
  });
  return { ...server, [Symbol.asyncDispose]: () => server.close() };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

type Question = ServerReflectionRequest["messageRequest"];
type Answer = ServerReflectionResponse["messageResponse"];

/** Sends one request to the reflection service. */
async function reflect(port: number, version: "v1" | "v1alpha", messageRequest: Question): Promise<Answer> {
  using channel = new Channel(new URL(`http://127.0.0.1:${port}`));
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
  const answer = await channel.unary(path, writeMessage(ServerReflectionRequestSchema, { messageRequest }));
  return fromBinary(ServerReflectionResponseSchema, answer).messageResponse;
}

async function describe(
  port: number,
  version: "v1" | "v1alpha",
  value: string,
): Promise<FileDescriptorProto[]> {
  const answer = await reflect(port, version, { case: "fileContainingSymbol", value });
  assert.equal(answer.case, "fileDescriptorResponse");
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}
