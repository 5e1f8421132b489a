/** The port of gRPC before anybody has called: who may stay connected, and how many. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { listen, type ListenLimits } from "../../rpc/listener.ts";
import { eventually } from "../eventually.ts";
import { createAuthority } from "./certificates.ts";
import { PREFACE } from "./preface.ts";

Deno.test("whoever has not begun in time is cut, and whoever has may be quiet", async () => {
  await using port = await open({ connections: 10, beginMs: 200 });
  using begun = await port.connect();
  await begun.write(PREFACE);
  using silent = await port.connect();
  using halfway = await port.connect();
  await halfway.write(PREFACE.subarray(0, 20));
  await eventually(() => assert.deepEqual(port.cut(), [false, true, true]), 10_000);
  for (const client of [silent, halfway]) assert.equal(await client.read(new Uint8Array(1)), null);
});

Deno.test("over TLS whoever has shaken hands has begun", async () => {
  const authority = createAuthority("own");
  const { certificate: cert, key } = authority.issue({ dns: "localhost" });
  const server = createTlsServer({ cert, key }, (socket) => socket.on("error", () => {}).pipe(socket));
  await using port = await open({ connections: 10, beginMs: 200 }, (socket) => {
    server.emit("connection", socket);
  });
  using begun = await Deno.connectTls({
    hostname: "localhost",
    port: port.number,
    caCerts: [authority.certificate],
  });
  await begun.handshake();
  using _silent = await port.connect();
  await eventually(() => assert.deepEqual(port.cut(), [false, true]), 10_000);
  await begun.write(PREFACE);
  assert.ok(await begun.read(new Uint8Array(1)), "it is answered");
});

Deno.test("connections beyond the limit are closed at once, until others have gone", async () => {
  await using port = await open({ connections: 2, beginMs: 10_000 });
  using staying = await port.connect();
  const going = await port.connect();
  await eventually(() => assert.equal(port.served().length, 2));
  using beyond = await port.connect();
  assert.equal(await beyond.read(new Uint8Array(1)).catch(() => null), null);
  assert.equal(port.served().length, 2);
  going.close();
  await eventually(async () => {
    using _next = await port.connect();
    assert.ok(port.served().length > 2);
  });
  assert.ok(await staying.write(PREFACE));
});

/** A port that reads what it is sent, or has that done by `serve`. */
async function open(limits: ListenLimits, serve = (socket: Socket): void => void socket.resume()) {
  const sockets: Socket[] = [];
  const listener = await listen(
    "127.0.0.1",
    0,
    (socket) => {
      sockets.push(socket.on("error", () => {}));
      serve(socket);
    },
    false,
    limits,
  );
  return {
    number: listener.port,
    served: () => sockets,
    /** Of each, in their order. */
    cut: () => sockets.map(({ destroyed }) => destroyed),
    connect: () => Deno.connect({ hostname: "127.0.0.1", port: listener.port }),
    async [Symbol.asyncDispose]() {
      const drained = listener.drained();
      listener.cut();
      await drained;
    },
  };
}
