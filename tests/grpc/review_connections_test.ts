/** Single connections that must not harm the process or the other connections. */
import assert from "node:assert/strict";
import { type Method, serve } from "../../grpc/mod.ts";
import {
  concat,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  GOAWAY,
  grpcMessage,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  literals,
  MAX_WINDOW,
  ping,
  readUint32,
  reset,
  RST_STREAM,
  settings,
  uint32,
  windowUpdate,
} from "../attack/frames.ts";
import { grpcFields, headers } from "../attack/attacks/requests.ts";
import { eventually } from "../eventually.ts";
import { observe, openRaw } from "./raw_client.ts";
import { REQUESTS } from "./requests.ts";
import { startTestServer } from "./server.ts";

Deno.test("an oversized frame that fills the read buffer ends its connection only", async () => {
  await using server = await startTestServer();
  using client = await openRaw(server.port);
  const upload = literals([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", "/upload"],
    ["content-type", "text/plain"],
  ]);
  // The buffer grows to its largest size only for a client that sends much at once.
  await client.send(frame(HEADERS, END_HEADERS, 1, upload));
  for (let sent = 0; sent < 4; sent++) {
    await client.send(concat(Array.from({ length: 8 }, () => frame(DATA, 0, 1, new Uint8Array(8_000)))));
    assert.ok(await client.isAlive());
  }
  const oversized = Uint8Array.of(0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1);
  await client.send(concat([oversized, new Uint8Array(100_000)]));
  const isEnd = ({ type, payload }: Frame) => type === GOAWAY && readUint32(payload, 4) === 6;
  assert.ok((await client.until(isEnd)).some(isEnd), "the client got no GOAWAY with FRAME_SIZE_ERROR");
  assert.equal(await observe(server.port, REQUESTS["a good call"]!), "200, 1 message, grpc-status 0; lives");
});

Deno.test("streams that always have more to send still hear of their resets", async () => {
  const most = 30_000;
  const message = new Uint8Array(10_000);
  let ended = 0;
  let ranToTheEnd = 0;
  const endless: Method = {
    kind: "stream",
    async *handle() {
      let sent = 0;
      try {
        for (; sent < most; sent++) yield message;
      } finally {
        ended++;
        if (sent === most) ranToTheEnd++;
      }
    },
  };
  const server = await serve({ hostname: "127.0.0.1", port: 0, methods: { "/test/Endless": endless } });
  {
    using client = await openRaw(server.port);
    const streams = [1, 3, 5, 7];
    await client.send(concat([
      settings([INITIAL_WINDOW_SIZE, MAX_WINDOW]),
      windowUpdate(0, MAX_WINDOW - 2_000_000),
      ...streams.map((stream) => headers(stream, grpcFields("/test/Endless"), true)),
    ]));
    for (let sent = 0; sent < 20; sent++) {
      await client.send(ping());
      for (let left = 20; left > 0; left--) await client.until(({ type }) => type === DATA);
    }
    await client.send(concat(streams.map((stream) => reset(stream))));
    await eventually(() => assert.equal(ended, streams.length));
    assert.equal(ranToTheEnd, 0);
  }
  await server.close();
});

Deno.test("a stream that depends on itself is refused, with its headers in one frame or in two", async () => {
  const calls: string[] = [];
  const method: Method = {
    kind: "unary",
    handle(request, { path }) {
      calls.push(path);
      return request;
    },
  };
  const server = await serve({ hostname: "127.0.0.1", port: 0, methods: { "/test/Unary": method } });
  {
    using client = await openRaw(server.port);
    const PRIORITY_FLAG = 0x20;
    const block = literals(grpcFields("/test/Unary"));
    const priority = (stream: number) => concat([uint32(stream), Uint8Array.of(0)]);
    for (const cut of [block.length, 10]) {
      const stream = cut === 10 ? 3 : 1;
      const first = concat([priority(stream), block.subarray(0, cut)]);
      await client.send(concat([
        frame(HEADERS, PRIORITY_FLAG | (stream === 1 ? END_HEADERS : 0), stream, first),
        stream === 3 ? frame(CONTINUATION, END_HEADERS, stream, block.subarray(cut)) : new Uint8Array(0),
        frame(DATA, END_STREAM, stream, grpcMessage()),
      ]));
      const isEnd = ({ type, stream: of }: Frame) => type === RST_STREAM && of === stream;
      assert.ok((await client.until(isEnd)).some(isEnd));
    }
    assert.ok(await client.isAlive());
  }
  await server.close();
  assert.deepEqual(calls, []);
});
