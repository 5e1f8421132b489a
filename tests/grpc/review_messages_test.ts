/** Messages that no handler has taken yet, and what becomes of them. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { type Method, serve } from "../../grpc/mod.ts";
import {
  concat,
  DATA,
  type Frame,
  frame,
  GOAWAY,
  grpcMessage,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  PING,
  ping,
  readUint32,
  repeat,
  settings,
  WINDOW_UPDATE,
} from "../attack/frames.ts";
import { grpcFields, headers } from "../attack/attacks/requests.ts";
import { ECHO_SERVICE } from "./echo_service.ts";
import { hpackReader } from "./hpack_reader.ts";
import { openRaw } from "./raw_client.ts";
import { startTestServer } from "./server.ts";

const ENHANCE_YOUR_CALM = 11;
const RESOURCE_EXHAUSTED = "8";
const MEGABYTE = grpcMessage(gzipSync(new Uint8Array(1_000_000)), 1);

function gzipCall(method: string, stream: number): Uint8Array {
  return headers(stream, [...grpcFields(`${ECHO_SERVICE}${method}`), ["grpc-encoding", "gzip"]]);
}

/** The grpc-status of each stream that has one. */
function statuses(frames: readonly Frame[]): (string | undefined)[] {
  const readFields = hpackReader();
  return frames.filter(({ type }) => type === HEADERS)
    .map(({ payload }) => new Map(readFields(payload)).get("grpc-status"))
    .filter((status) => status !== undefined);
}

Deno.test("a stranger that floods a stream with messages loses its connection", async () => {
  await using server = await startTestServer();
  using client = await openRaw(server.port);
  await client.send(settings([INITIAL_WINDOW_SIZE, 0])); // the handler waits with its first answer
  await client.send(concat([
    headers(1, grpcFields(`${ECHO_SERVICE}PingPong`)),
    frame(DATA, 0, 1, repeat(grpcMessage(), 3_000)),
  ]));
  const isEnd = ({ type, payload }: Frame) => type === GOAWAY && readUint32(payload, 4) === ENHANCE_YOUR_CALM;
  assert.ok((await client.until(isEnd)).some(isEnd));
});

Deno.test("whole messages of calls that have not ended count as well", async () => {
  await using server = await startTestServer();
  using client = await openRaw(server.port);
  const streams = [1, 3, 5, 7, 9];
  await client.send(concat(streams.flatMap((stream) => [
    gzipCall("Unary", stream),
    frame(DATA, 0, stream, MEGABYTE),
  ])));
  const frames = await client.until(({ type, stream, flags }) =>
    type === HEADERS && stream === 9 && flags === 5
  );
  assert.deepEqual(statuses(frames), [RESOURCE_EXHAUSTED]);
});

Deno.test("the client gets no window for messages that wait for a handler", async () => {
  await using server = await startTestServer();
  using client = await openRaw(server.port);
  await client.send(settings([INITIAL_WINDOW_SIZE, 0])); // the handler waits with its first answer
  await client.send(headers(1, grpcFields(`${ECHO_SERVICE}PingPong`)));
  for (let sent = 0; sent < 4; sent++) {
    await client.send(frame(DATA, 0, 1, grpcMessage(new Uint8Array(15_000))));
  }
  await client.send(ping());
  const frames = await client.until(({ type }) => type === PING);
  assert.equal(frames.at(-1)?.type, PING);
  assert.deepEqual(frames.filter(({ type, stream }) => type === WINDOW_UPDATE && stream === 1), []);
});

Deno.test("messages that a handler leaves unread give their credit back to the connection", async () => {
  const leaves: Method = {
    kind: "stream",
    async *handle(requests, { signal }) {
      for await (const _ of requests) break;
      yield new Uint8Array(0);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  };
  const server = await serve({ hostname: "127.0.0.1", port: 0, methods: { "/test/Leaves": leaves } });
  {
    using client = await openRaw(server.port);
    assert.ok(await client.isAlive());
    const streams = Array.from({ length: 9 }, (_, at) => 1 + 2 * at);
    for (const stream of streams) {
      await client.send(concat([
        headers(stream, grpcFields("/test/Leaves")),
        frame(DATA, 0, stream, grpcMessage()),
      ]));
      await client.until(({ type, stream: of }) => type === DATA && of === stream);
      const message = grpcMessage(new Uint8Array(15_000));
      for (let sent = 0; sent < 4; sent++) await client.send(frame(DATA, 0, stream, message));
    }
    const isCredit = ({ type, stream }: Frame) => type === WINDOW_UPDATE && stream === 0;
    assert.ok((await client.until(isCredit)).some(isCredit));
  }
  await server.close();
});
