/** WORKERS: several processes share the HTTP and the gRPC port, and a supervisor restarts them. */
import assert from "node:assert/strict";
import { createWorld, register } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { freePort } from "../ports.ts";
import { gatewayHeaders, MESH, production, TRUSTING } from "../production.ts";
import { asked, connect } from "../rpc/client.ts";
import { type RunningService, startAndFail, startService } from "../service.ts";
import { startReceiver } from "../telemetry/receiver.ts";
import { childrenOf, isThere, linuxTest, listeningAt } from "./processes.ts";

linuxTest("three workers share both ports, a killed one is replaced, and all end together", async () => {
  await using world = await createWorld();
  const customer = await register(world);
  const { env, ports } = workers(3, world.database.url);
  await using service = startService(env);
  const first = await allReady(service, 3);

  for (let at = 0; at < 20; at++) await serves(ports, customer);
  assert.deepEqual(await listeningAt(ports.http, first), first);
  assert.deepEqual(await listeningAt(ports.grpc, first), first);

  Deno.kill(first[0]!, "SIGKILL");
  const killedAt = Date.now();
  const second = await eventually(async () => {
    const now = await childrenOf(service.pid);
    assert.equal(now.length, 3);
    assert.ok(!now.includes(first[0]!));
    assert.deepEqual(await listeningAt(ports.grpc, now), now);
    return now;
  });
  assert.ok(Date.now() - killedAt < 30_000);
  await serves(ports, customer);

  const { code, output } = await service.stop("SIGTERM");
  assert.equal(code, 0);
  assert.match(output, /has ended with .*SIGKILL/);
  for (const pid of [...first, ...second]) assert.equal(await isThere(pid), false);
});

linuxTest("workers end by themselves when their parent is killed, and leave the ports free", async () => {
  await using world = await createWorld();
  const { env, ports } = workers(2, world.database.url);
  await using service = startService(env);
  const pids = await allReady(service, 2);
  await service.stop("SIGKILL");
  await eventually(async () => {
    for (const pid of pids) assert.equal(await isThere(pid), false);
  });
  for (const port of [ports.http, ports.grpc]) Deno.listen({ hostname: "127.0.0.1", port }).close();
});

Deno.test("the service exits with the reason if workers cannot start, or before any starts if a port is taken", async () => {
  const { env, ports } = workers(2, "postgres://user:open-sesame@127.0.0.1:1/none");
  const message = await startAndFail(env);
  assert.match(message, /^(Cannot prepare the database: .*ECONNREFUSED.*\n){1,2}$/);
  using _taken = Deno.listen({ hostname: "127.0.0.1", port: ports.grpc });
  assert.equal(
    await startAndFail(env),
    `Cannot serve gRPC on 127.0.0.1 port ${ports.grpc}: the port is taken; set GRPC_PORT to another one\n`,
  );
});

linuxTest("each worker exports under an id of its own, which its successor takes over", async () => {
  await using world = await createWorld();
  await using receiver = startReceiver();
  const { env } = workers(2, world.database.url);
  const attributes = { OTEL_RESOURCE_ATTRIBUTES: "service.instance.id=host,service.namespace=shop" };
  await using service = startService({ ...env, ...receiver.env, ...attributes });
  const [first] = await allReady(service, 2);
  Deno.kill(first!, "SIGKILL");
  await allReady(service, 3);
  await service.stop("SIGTERM");

  const resources = receiver.resources();
  for (const resource of resources) assert.equal(resource["service.namespace"], "shop");
  const ids = new Set(resources.map((resource) => resource["service.instance.id"]));
  assert.deepEqual(ids, new Set(["host", "host-1", "host-2"])); // the supervisor's own, and those of the workers
});

function workers(count: number, databaseUrl: string) {
  const [http, grpc] = [freePort(), freePort()];
  const env = { WORKERS: String(count), HTTP_PORT: String(http), GRPC_PORT: String(grpc) };
  return { env: { ...production(databaseUrl), ...TRUSTING, ...env }, ports: { http, grpc } };
}

/** PIDs of the workers, once all have logged that they are ready. */
async function allReady(service: RunningService, count: number): Promise<number[]> {
  await service.ready();
  await eventually(() => assert.equal(service.output().match(/Ready: HTTP/g)?.length, count));
  return await childrenOf(service.pid);
}

/** Sends requests on separate connections, so that any worker may answer. */
async function serves(ports: { http: number; grpc: number }, customer: { id: string; storeId: string }) {
  const response = await fetch(`http://127.0.0.1:${ports.http}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close", ...gatewayHeaders(customer) },
    body: JSON.stringify({ query: "{ me { id } }" }),
  });
  assert.deepEqual((await response.json()).data, { me: { id: customer.id } });
  using client = connect(ports.grpc);
  const request = asked({ storeId: customer.storeId, customerId: customer.id });
  assert.equal((await client.groups(request, { metadata: MESH })).status, "OK");
}
