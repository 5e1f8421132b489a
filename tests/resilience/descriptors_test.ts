/** Exhausted file descriptors, which a client can cause by opening connections. */
import assert from "node:assert/strict";
import { createWorld, register } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { CART, gatewayHeaders, MESH, PLATFORM, portsOf, production, TRUSTING } from "../production.ts";
import { createAuthority } from "../rpc/certificates.ts";
import { asked, type Client, connect } from "../rpc/client.ts";
import { startService, temporaryFolder } from "../service.ts";
import { linuxTest } from "./processes.ts";

const DESCRIPTORS = 200;

linuxTest(
  "after file descriptors were exhausted, both ports serve again as soon as some are free",
  async () => {
    await assertRecovery({}, (port) => connect(port));
  },
);

linuxTest(
  "after file descriptors were exhausted, a gRPC port with TLS serves again as soon as some are free",
  async () => {
    await using folder = await temporaryFolder();
    const authority = createAuthority("platform");
    const server = authority.issue({ dns: "localhost" });
    const env = {
      GRPC_AUTH: "mtls",
      ...PLATFORM,
      GRPC_TLS_CERT: `${folder.path}/certificate.pem`,
      GRPC_TLS_KEY: `${folder.path}/key.pem`,
      GRPC_TLS_CLIENT_CA: `${folder.path}/authority.pem`,
    };
    await Deno.writeTextFile(env.GRPC_TLS_CERT, server.certificate);
    await Deno.writeTextFile(env.GRPC_TLS_KEY, server.key);
    await Deno.writeTextFile(env.GRPC_TLS_CLIENT_CA, authority.certificate);
    const identity = authority.issue({ uri: CART });
    await assertRecovery(env, (port) => connect(port, { ca: authority.certificate, ...identity }));
  },
);

/** Opens more connections than the service has descriptors, closes them, and calls both ports. */
async function assertRecovery(
  grpcSettings: Record<string, string>,
  connectGrpc: (port: number) => Client,
): Promise<void> {
  await using world = await createWorld();
  const customer = await register(world);
  const env = { ...production(world.database.url), ...TRUSTING, ...grpcSettings };
  await using service = startService(env, { descriptors: DESCRIPTORS });
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
    clients.push(await connectTo(ports.http)); // takes descriptors that the service frees
    assert.match(service.output(), /Cannot accept HTTP connections/);
  });
  for (const client of clients) {
    client.close();
  }
  await eventually(async () => assert.equal(await me(), customer.id));
  using caller = connectGrpc(ports.grpc);
  await eventually(async () => {
    const { status } = await caller.groups(asked({ ...customer, customerId: customer.id }), {
      metadata: MESH,
      withinMs: 1_000,
    });
    assert.equal(status, "OK");
  });
  assert.equal((await service.stop("SIGTERM")).code, 0);
}
