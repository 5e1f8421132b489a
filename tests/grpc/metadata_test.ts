/** Metadata, statuses and details, as a handler and a caller see each other's. */
import assert from "node:assert/strict";
import { Channel, GrpcError, type Metadata, type Method, type StatusName } from "../../grpc/mod.ts";
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  type Fields,
  frame,
  grpcMessage,
  HEADERS,
  literals,
} from "../attack/frames.ts";
import { ECHO, startServer, STREAM } from "./in_process.ts";
import { openRaw } from "./raw_client.ts";
import { call, head, isEnd } from "./raw_calls.ts";

const PATIENT = { patienceMs: 30_000 };
const FAIL = "/test.v1.Test/Fail";

/** Returns the metadata that it got, values with commas between, under the same names in headers and trailers. */
const reflecting: Method = {
  kind: "unary",
  handle(request, call) {
    for (const name of ["x-one", "x-several"]) {
      for (const value of call.metadata.getAll(name)) call.setHeader(name, value);
    }
    for (const bytes of call.metadata.getBinary("x-bytes-bin") ?? []) {
      call.setTrailer("x-bytes-bin", bytes.toBase64());
    }
    return request;
  },
};

function failing(error: GrpcError): Method {
  return {
    kind: "unary",
    handle() {
      throw error;
    },
  };
}

Deno.test("metadata goes there and back: several values, and binary ones padded or not", async () => {
  await using server = await startServer({ methods: { [ECHO]: reflecting } });
  using channel = channelTo(server.port);
  let headers: Metadata | undefined;
  let trailers: Metadata | undefined;
  await channel.unary(ECHO, new Uint8Array(0), {
    metadata: [
      "x-one",
      "a, b",
      "x-several",
      "1",
      "x-several",
      "2",
      "x-bytes-bin",
      "AKv/Cg==",
      "x-bytes-bin",
      "AQ,Ag",
    ],
    onResponse: (response) => ({ headers, trailers } = response),
  });
  assert.deepEqual(headers?.getAll("x-one"), ["a, b"]);
  assert.deepEqual(headers?.getAll("x-several"), ["1", "2"]);
  assert.deepEqual(
    trailers?.getBinary("x-bytes-bin"),
    [Uint8Array.of(0, 0xab, 0xff, 10), Uint8Array.of(1), Uint8Array.of(2)],
  );
});

const MESSAGES = ["", "plain", "100 %", "\t\nwhitespace\r\n", "Zürich ☺ 😈", "%41", " blanks "];
const ALL: StatusName[] = [
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

Deno.test("every status, any text in its message, ErrorInfo and wrong fields reach the caller", async () => {
  let error = new GrpcError("UNKNOWN", "");
  await using server = await startServer({
    methods: {
      [FAIL]: {
        kind: "unary",
        handle() {
          throw error;
        },
      },
    },
    toGrpcError: (thrown) => thrown as GrpcError,
  });
  using channel = channelTo(server.port);
  for (const [at, status] of ALL.entries()) {
    const message = MESSAGES[at % MESSAGES.length]!;
    const info = { reason: "NO_ROOM", domain: "test.example", metadata: { "größe": "ü", at: String(at) } };
    const fieldViolations = at % 3 ? [] : [
      { field: "größe", description: `must be ${"ü".repeat(at)}` },
      { field: "a.b", description: "" },
    ];
    error = new GrpcError(status, message, { ...(at % 2 && { info }), fieldViolations });
    await assert.rejects(channel.unary(FAIL, new Uint8Array(0)), (seen) => {
      assert.ok(seen instanceof GrpcError);
      assert.deepEqual([seen.status, seen.message, seen.info], [status, message, at % 2 ? info : undefined]);
      assert.deepEqual(seen.fieldViolations, fieldViolations);
      return true;
    });
  }
});

Deno.test("with an error domain, each error has an ErrorInfo: its own, or one whose reason is the status", async () => {
  const own = { reason: "NO_ROOM", domain: "test.example", metadata: {} };
  await using server = await startServer({
    methods: {
      [FAIL]: failing(new GrpcError("ABORTED", "", { info: own })),
      [STREAM]: failing(new GrpcError("NOT_FOUND", "gone")),
    },
    messageBytes: 100,
    errorDomain: "example.test",
  });
  using channel = channelTo(server.port);
  const info = (reason: string) => ({ reason, domain: "example.test", metadata: {} });
  const cases: [path: string, bytes: number, expected: unknown][] = [
    [FAIL, 0, own],
    [FAIL, 101, info("RESOURCE_EXHAUSTED")],
    [STREAM, 0, info("NOT_FOUND")],
    ["/test.v1.Test/Missing", 0, info("UNIMPLEMENTED")],
  ];
  for (const [path, bytes, expected] of cases) {
    await assert.rejects(channel.unary(path, new Uint8Array(bytes)), (seen) => {
      assert.deepEqual(seen instanceof GrpcError && seen.info, expected);
      return true;
    });
  }
});

Deno.test("grpc-message is percent-encoded on the wire", async () => {
  await using server = await startServer({
    methods: { [FAIL]: failing(new GrpcError("ABORTED", "50 % ü\n")) },
  });
  using client = await openRaw(server.port, PATIENT);
  await client.send(call(1, FAIL));
  const { fields } = (await client.until(isEnd(1))).at(-1)!;
  assert.equal(fields?.get("grpc-message"), "50 %25 %C3%BC%0A");
});

Deno.test("an answer without a message is one HEADERS frame", async () => {
  const empty: Method = { kind: "stream", async *handle() {} };
  await using server = await startServer({
    methods: { [FAIL]: failing(new GrpcError("NOT_FOUND", "gone")), [STREAM]: empty },
  });
  for (const [path, status] of [[FAIL, "5"], ["/test.v1.Test/Missing", "12"], [STREAM, "0"]] as const) {
    using client = await openRaw(server.port, PATIENT);
    await client.send(call(1, path));
    const frames = (await client.until(isEnd(1))).filter(({ stream }) => stream === 1);
    assert.equal(frames.length, 1);
    assert.equal(frames[0]!.type, HEADERS);
    const fields = frames[0]!.fields!;
    assert.deepEqual(
      [fields.get(":status"), fields.get("content-type"), fields.get("grpc-status")],
      ["200", "application/grpc", status],
    );
  }
});

Deno.test("an unexpected error of a handler is INTERNAL without its message", async () => {
  const broken: Method = {
    kind: "unary",
    handle() {
      throw new Error("password of the database: hunter2");
    },
  };
  await using server = await startServer({ methods: { [FAIL]: broken } });
  using channel = channelTo(server.port);
  await assert.rejects(channel.unary(FAIL, new Uint8Array(0)), {
    status: "INTERNAL",
    message: "Internal error",
  });
});

Deno.test("a request that is not a gRPC call gets an HTTP status and a sentence", async () => {
  await using server = await startServer({});
  const type = (value: string): Fields => [["content-type", value]];
  const cases: { fields: Fields; method?: string; status: string; text?: RegExp }[] = [
    { fields: type("application/grpc"), status: "200" },
    { fields: type("application/grpc+proto"), status: "200" },
    { fields: type("application/grpc; charset=utf-8"), status: "200" },
    { fields: type("APPLICATION/GRPC"), status: "200" },
    { fields: type("application/grpc-web"), status: "415", text: /application\/grpc/ },
    { fields: type("application/grpc+json"), status: "415" },
    { fields: type("application/grpcx"), status: "415" },
    { fields: type("application/json"), status: "415" },
    { fields: [], status: "415" },
    { fields: type("application/grpc"), method: "GET", status: "405", text: /POST/ },
    { fields: type("application/json"), method: "GET", status: "415" },
  ];
  for (const { fields, method = "POST", status, text = /./ } of cases) {
    using client = await openRaw(server.port, PATIENT);
    const pseudo: Fields = [[":method", method], [":scheme", "http"], [":path", ECHO], [
      ":authority",
      "test",
    ]];
    await client.send(frame(HEADERS, END_HEADERS, 1, literals([...pseudo, ...fields])));
    await client.send(frame(DATA, END_STREAM, 1, grpcMessage()));
    const frames = await client.until(isEnd(1));
    const answer = frames.find(({ fields }) => fields?.has(":status"))!;
    assert.equal(answer.fields?.get(":status"), status, JSON.stringify(fields));
    if (status !== "200") {
      assert.equal(answer.fields?.get("content-type"), "text/plain; charset=utf-8");
      const body = frames.filter(({ type }) => type === DATA).map(({ payload }) => payload);
      assert.match(new TextDecoder().decode(body[0]), text);
      assert.equal(answer.fields?.get("content-length"), String(body[0]?.length));
    }
    assert.ok(await client.isAlive());
  }
});

Deno.test("a grpc-timeout that cannot be read is INTERNAL", async () => {
  await using server = await startServer({});
  for (const timeout of ["", "1", "m", "-1m", "1.5S", "123456789m", "1 m", "1x"]) {
    using client = await openRaw(server.port, PATIENT);
    await client.send(head(1, ECHO, [["grpc-timeout", timeout]]));
    const { fields } = (await client.until(isEnd(1))).at(-1) ?? {};
    assert.equal(fields?.get("grpc-status"), "13", timeout);
  }
});

function channelTo(port: number): Channel {
  return new Channel(new URL(`http://127.0.0.1:${port}`));
}
