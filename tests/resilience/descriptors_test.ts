/** Exhausted file descriptors, which a client can cause by opening connections. */
import assert from "node:assert/strict";
import { createWorld, register } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { gatewayHeaders, MESH, portsOf, production, TRUSTING } from "../production.ts";
import { asked, connect } from "../rpc/client.ts";
import { startService } from "../service.ts";
import { linuxTest } from "./processes.ts";

const DESCRIPTORS = 200;

linuxTest(
  "after file descriptors were exhausted, both ports serve again as soon as some are free",
  async () => {
    await using world = await createWorld();
    const customer = await register(world);
    const env = { ...production(world.database.url), ...TRUSTING };
    await using service = startService(env, DESCRIPTORS);
    const ports = await portsOf(service);
    const me = async () => {
      const response = await fetch(`http://127.0.0.1:${ports.http}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", ...gatewayHeaders(customer) },
        body: JSON.stringify({ query: "{ me { id } }" }),
        signal: AbortSignal.timeout(2_000),
      });
      return (await response.json()).data.me.id;
    };
    const connectTo = (port: number) => Deno.connect({ hostname: "127.0.0.1", port });
    const clients = await Promise.all(
      Array.from({ length: DESCRIPTORS + 100 }, () => connectTo(ports.grpc)),
    );
    await eventually(async () => {
      clients.push(await connectTo(ports.http)); // takes what the service itself gives back
      assert.match(service.printed(), /Cannot accept HTTP connections/);
    });
    for (const client of clients) {
      client.close();
    }
    await eventually(async () => assert.equal(await me(), customer.id));
    using caller = connect(ports.grpc);
    await eventually(async () => {
      const { status } = await caller.groups(asked({ ...customer, customerId: customer.id }), {
        metadata: MESH,
        withinMs: 1_000,
      });
      assert.equal(status, "OK");
    });
    assert.equal((await service.stop("SIGTERM")).code, 0);
  },
);
