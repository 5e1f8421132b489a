/** Bounds of connections when many arrive in one turn of the event loop. */
import assert from "node:assert/strict";
import { serve } from "../../grpc/mod.ts";
import { eventually } from "../eventually.ts";
import { ECHO_METHODS } from "./echo_service.ts";

Deno.test("strangers that connect at the same moment replace each other one by one", async () => {
  const server = await serve({
    hostname: "127.0.0.1",
    port: 0,
    methods: ECHO_METHODS,
    limits: { strangers: 20, strangersPerAddress: 20 },
  });
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const connections = await Promise.all(Array.from({ length: 60 }, connect));
  await eventually(() => assert.equal(server.load.connections, 20), 5_000);
  for (const connection of connections) connection.close();
  await eventually(() => assert.equal(server.load.connections, 0), 5_000);
  await server.close();
});
