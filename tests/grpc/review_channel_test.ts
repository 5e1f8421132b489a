/** The client with servers that answer early, late, or against the protocol. */
import assert from "node:assert/strict";
import { Channel, GrpcError, serve } from "../../grpc/mod.ts";
import {
  ACK,
  concat,
  DATA,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  frameReader,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  literals,
  PREFACE,
  RST_STREAM,
  SETTINGS,
  settings,
} from "../attack/frames.ts";
import { ECHO_METHODS, ECHO_SERVICE } from "./echo_service.ts";

interface RawServer extends AsyncDisposable {
  channel: Channel;
  send(...frames: Uint8Array[]): Promise<void>;
  /** The next frame of a type that satisfies the condition. */
  next(matches: (frame: Frame) => boolean): Promise<Frame>;
}

/** Accepts one connection of a channel and sends what the test says. The first call of the channel connects. */
function startRaw(greeting: Uint8Array = settings()): RawServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const channel = new Channel(new URL(`http://127.0.0.1:${listener.addr.port}`));
  const accepted = listener.accept();
  const arrived: Frame[] = [];
  let progress = Promise.withResolvers<void>();
  const reading = (async () => {
    const socket = await accepted;
    await socket.write(greeting);
    const frames = frameReader();
    let rest = PREFACE.length;
    const buffer = new Uint8Array(65_536);
    for (let count = await socket.read(buffer); count !== null; count = await socket.read(buffer)) {
      const skipped = Math.min(rest, count);
      rest -= skipped;
      arrived.push(...frames(buffer.subarray(skipped, count)));
      progress.resolve();
      progress = Promise.withResolvers();
    }
    socket.close();
  })();
  return {
    channel,
    async send(...frames) {
      await (await accepted).write(concat(frames));
    },
    async next(matches) {
      for (;;) {
        while (arrived.length > 0) {
          const first = arrived.shift()!;
          if (matches(first)) return first;
        }
        await progress.promise;
      }
    },
    async [Symbol.asyncDispose]() {
      channel[Symbol.dispose]();
      await reading;
      listener.close();
    },
  };
}

const RESPONSE = literals([[":status", "200"], ["content-type", "application/grpc"]]);
const TRAILERS = literals([["grpc-status", "0"]]);
const TRAILERS_ONLY = concat([RESPONSE, TRAILERS]);
const isRequest = ({ type }: Frame) => type === HEADERS;

function statusOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(() => "OK", (error) => error instanceof GrpcError ? error.status : String(error));
}

Deno.test("a client resets a stream whose server has answered before the requests ended", async () => {
  await using server = startRaw();
  const never = Promise.withResolvers<void>();
  async function* requests() {
    yield new Uint8Array(1);
    await never.promise;
  }
  const answer = Array.fromAsync(server.channel.stream("/test/Upload", requests()));
  await server.next(isRequest);
  await server.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, TRAILERS_ONLY));
  assert.deepEqual(await answer, []);
  assert.equal((await server.next(({ type }) => type === RST_STREAM)).stream, 1);
  never.resolve();
});

Deno.test("a response without headers ends its call, not its connection", async () => {
  await using server = startRaw();
  const answer = statusOf(server.channel.unary("/test/Unary", new Uint8Array(1)));
  await server.next(isRequest);
  await server.send(frame(DATA, END_STREAM, 1));
  assert.equal(await answer, "INTERNAL");
  const next = server.channel.unary("/test/Unary", new Uint8Array(1));
  assert.equal((await server.next(isRequest)).stream, 3);
  await server.send(
    frame(HEADERS, END_HEADERS, 3, RESPONSE),
    frame(DATA, 0, 3, new Uint8Array(5)),
    frame(HEADERS, END_HEADERS | END_STREAM, 3, TRAILERS),
  );
  assert.deepEqual(await next, new Uint8Array(0));
});

Deno.test("a late response to a call that was canceled does not end the connection", async () => {
  await using server = startRaw();
  const canceled = new AbortController();
  const calls = Array.from(
    { length: 200 },
    () => statusOf(server.channel.unary("/test/Unary", new Uint8Array(1), { signal: canceled.signal })),
  );
  await server.next(({ type, stream }) => type === HEADERS && stream === 399);
  canceled.abort();
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(["CANCELLED"]));
  const next = server.channel.unary("/test/Unary", new Uint8Array(1));
  await server.next(({ type, stream }) => type === HEADERS && stream === 401);
  await server.send(
    frame(HEADERS, END_HEADERS | END_STREAM, 1, TRAILERS_ONLY),
    frame(HEADERS, END_HEADERS, 401, RESPONSE),
    frame(DATA, 0, 401, new Uint8Array(5)),
    frame(HEADERS, END_HEADERS | END_STREAM, 401, TRAILERS),
  );
  assert.deepEqual(await next, new Uint8Array(0));
});

Deno.test("a client ends its side although the window of the stream is negative", async () => {
  await using server = startRaw(settings([INITIAL_WINDOW_SIZE, 100]));
  const last = Promise.withResolvers<void>();
  async function* requests() {
    yield new Uint8Array(95); // 100 bytes with its prefix
    await last.promise;
  }
  const answer = Array.fromAsync(server.channel.stream("/test/Upload", requests()));
  await server.next(({ type }) => type === DATA);
  await server.send(settings([INITIAL_WINDOW_SIZE, 50]));
  await server.next(({ type, flags }) => type === SETTINGS && (flags & ACK) !== 0);
  last.resolve();
  assert.equal((await server.next(({ type }) => type === DATA)).flags, END_STREAM);
  await server.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, TRAILERS_ONLY));
  assert.deepEqual(await answer, []);
});

Deno.test("metadata that cannot be sent fails its call and leaves nothing open", async () => {
  await using server = startRaw();
  const { channel } = server;
  const wrong = channel.unary("/test/Unary", new Uint8Array(1), { metadata: ["x-name", "Žofia"] });
  assert.equal(await statusOf(wrong), "INTERNAL");
  const next = channel.unary("/test/Unary", new Uint8Array(1));
  assert.equal((await server.next(isRequest)).stream, 1);
  await server.send(
    frame(HEADERS, END_HEADERS, 1, RESPONSE),
    frame(DATA, 0, 1, new Uint8Array(5)),
    frame(HEADERS, END_HEADERS | END_STREAM, 1, TRAILERS),
  );
  assert.deepEqual(await next, new Uint8Array(0));
});

Deno.test("a timeout of a month does not expire while the channel connects", async () => {
  await using server = startRaw();
  const month = 31 * 24 * 3_600_000;
  const answer = server.channel.unary("/test/Unary", new Uint8Array(1), { timeoutMs: month });
  await Promise.race([server.next(isRequest), answer]);
  await server.send(
    frame(HEADERS, END_HEADERS, 1, RESPONSE),
    frame(DATA, 0, 1, new Uint8Array(5)),
    frame(HEADERS, END_HEADERS | END_STREAM, 1, TRAILERS),
  );
  assert.deepEqual(await answer, new Uint8Array(0));
});

Deno.test("more calls at once than a connection takes go over several connections", async () => {
  const server = await serve({ hostname: "127.0.0.1", port: 0, methods: ECHO_METHODS });
  {
    using channel = new Channel(new URL(`http://127.0.0.1:${server.port}`));
    const shortSleep = Uint8Array.of(0, 0, 0, 20);
    const calls = Array.from(
      { length: 200 },
      () => statusOf(channel.unary(`${ECHO_SERVICE}Sleep`, shortSleep)),
    );
    assert.deepEqual(new Set(await Promise.all(calls)), new Set(["OK"]));
  }
  await server.close();
});

Deno.test("a channel that is closed while it waits for the SETTINGS of the server fails its calls", async () => {
  await using server = startRaw(new Uint8Array(0));
  const answer = statusOf(server.channel.unary("/test/Unary", new Uint8Array(1)));
  await server.next(({ type }) => type === SETTINGS);
  server.channel[Symbol.dispose]();
  assert.equal(await answer, "CANCELLED");
});
