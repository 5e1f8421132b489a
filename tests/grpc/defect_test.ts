/** An error of this program while it serves one connection ends that connection, and no other. */
import assert from "node:assert/strict";
import { Channel, GrpcError, type Method, serve, type ServerEvent } from "../../grpc/mod.ts";

const METHODS: Record<string, Method> = {
  "/test/Fine": { kind: "unary", handle: (request) => request },
  "/test/NoMessage": { kind: "unary", handle: () => Promise.resolve(undefined as never) },
  "/test/NoMessageAtOnce": { kind: "unary", handle: () => undefined as never },
  "/test/Refused": { kind: "unary", handle: () => Promise.reject(new Error("refused")) },
  "/test/RefusedAtOnce": {
    kind: "unary",
    handle() {
      throw new Error("refused");
    },
  },
  "/test/RefusedStream": {
    kind: "stream",
    // deno-lint-ignore require-yield -- it fails before its first message
    async *handle() {
      throw new Error("refused");
    },
  },
  "/test/NoMessageStream": {
    kind: "stream",
    async *handle() {
      yield undefined as never;
    },
  },
};

for (const path of Object.keys(METHODS).filter((path) => path !== "/test/Fine")) {
  Deno.test(`a defect ends its own connection: ${path}`, async () => {
    const events: ServerEvent[] = [];
    const server = await serve({
      hostname: "127.0.0.1",
      port: 0,
      methods: METHODS,
      toGrpcError() {
        throw new RangeError("a defect");
      },
      onEvent: (event) => void events.push(event),
    });
    try {
      const url = new URL(`http://127.0.0.1:${server.port}`);
      using other = new Channel(url);
      await other.unary("/test/Fine", new Uint8Array(1));
      using channel = new Channel(url);
      await assert.rejects(channel.unary(path, new Uint8Array(1), { timeoutMs: 5_000 }), (error) => {
        assert.ok(error instanceof GrpcError && error.status === "UNAVAILABLE", String(error));
        return true;
      });
      assert.deepEqual(events.map(({ type }) => type), ["defect"]);
      assert.deepEqual(await other.unary("/test/Fine", new Uint8Array(1)), new Uint8Array(1));
      assert.equal(server.load.connections, 1);
    } finally {
      await server.close();
    }
  });
}
