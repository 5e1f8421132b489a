/** Connections to a TLS port that end, or stay, before their handshake is complete. */
import assert from "node:assert/strict";
import { Channel, type GrpcServer, ListenError, serve, type ServerEvent } from "../../grpc/mod.ts";
import { eventually } from "../eventually.ts";
import { createAuthority } from "../rpc/certificates.ts";
import { ECHO_METHODS, ECHO_SERVICE } from "./echo_service.ts";

const authority = createAuthority("TLS test");
const tls = authority.issue({ ip: "127.0.0.1" });

function start(port = 0, events: ServerEvent[] = []): Promise<GrpcServer> {
  return serve({
    hostname: "127.0.0.1",
    port,
    tls,
    methods: ECHO_METHODS,
    onEvent: (event) => events.push(event),
  });
}

const RESET_CONNECTIONS = `
  import { connect } from "node:net";
  for (let left = 50; left > 0; left--) {
    const socket = connect(Number(Deno.args[0]), "127.0.0.1");
    socket.on("connect", () => socket.resetAndDestroy());
  }
`;

Deno.test("connections that are reset before the TLS handshake leave their places", async () => {
  const server = await start();
  // This process waits for the other one, so that the server accepts connections that are reset already.
  const { success } = new Deno.Command(Deno.execPath(), {
    args: ["eval", RESET_CONNECTIONS, `${server.port}`],
  })
    .outputSync();
  assert.ok(success);
  using channel = new Channel(new URL(`https://127.0.0.1:${server.port}`), {
    tls: { ca: authority.certificate },
  });
  const hello = new TextEncoder().encode("hello");
  assert.deepEqual(await channel.unary(`${ECHO_SERVICE}Unary`, hello), hello);
  await eventually(() => assert.equal(server.load.connections, 1), 5_000);
  await server.close();
});

Deno.test("a silent TLS connection does not delay the end of the server", async () => {
  const server = await start();
  const silent = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await eventually(() => assert.equal(server.load.connections, 1), 5_000);
  const since = performance.now();
  await server.close(60_000);
  assert.ok(performance.now() - since < 8_000, "the server has waited 10 s for the handshake");
  assert.equal(server.load.connections, 0);
  silent.close();
});

Deno.test("a TLS port that is taken rejects with a ListenError", async () => {
  const server = await start();
  const events: ServerEvent[] = [];
  await assert.rejects(
    start(server.port, events),
    (error) => error instanceof ListenError && error.message.endsWith("the port is taken"),
  );
  assert.deepEqual(events, []);
  await server.close();
});
