/** Overload: each edge refuses excess requests in its own format, and the probes still succeed. */
import assert from "node:assert/strict";
import { createWorld, register } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { DELAY_LIMIT_MS, monitorLoad } from "../../http/load_shedding.ts";
import { gatewayHeaders, MESH, portsOf, production, TRUSTING } from "../production.ts";
import { asked, connect } from "../rpc/client.ts";
import { startService } from "../service.ts";
import { startReceiver } from "../telemetry/receiver.ts";

const MESSAGE = "Cannot process the request: the service is overloaded, try again";

Deno.test("beyond MAX_IN_FLIGHT each edge refuses at once, the probes succeed, and the edges recover", async () => {
  await using world = await createWorld();
  const customers = await Promise.all(Array.from({ length: 5 }, () => register(world)));
  const customer = customers[0]!;
  await using receiver = startReceiver();
  const env = { ...production(world.database.url), ...TRUSTING, ...receiver.env, MAX_IN_FLIGHT: "5" };
  await using service = startService(env);
  const ports = await portsOf(service);
  const http = `http://127.0.0.1:${ports.http}`;
  using client = connect(ports.grpc);
  const request = asked({ storeId: customer.storeId, customerId: customer.id });
  const change = (name: string, by = customer) =>
    fetch(`${http}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...gatewayHeaders(by) },
      body: JSON.stringify({
        query:
          "mutation ($name: String) { updateProfile(input: { firstName: $name }) { customer { version } } }",
        variables: { name },
      }),
    });

  const underWay = await world.admin.begin(async (tx) => {
    await tx`select from customers for update`;
    const underWay = customers.map((by, at) => change(String(at), by));
    await eventually(async () => {
      const waiting = await world.admin`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      assert.equal(waiting.length, 5);
    });

    const refused = await change("too much");
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    const { errors: [{ message, extensions }] } = await refused.json();
    assert.deepEqual([message, extensions.code], [MESSAGE, "UNAVAILABLE"]);
    assert.match(extensions.traceId, /^[0-9a-f]{32}$/);
    const other = await fetch(`${http}/exports/none`);
    assert.deepEqual([other.status, other.headers.get("retry-after")], [503, "1"]);
    const { traceId, ...refusal } = await other.json();
    assert.deepEqual(refusal, { code: "UNAVAILABLE", message: MESSAGE });
    assert.match(traceId, /^[0-9a-f]{32}$/);
    const page = await fetch(`${http}/inspect`);
    assert.deepEqual([page.status, page.headers.get("retry-after")], [503, "1"]);
    assert.match(await page.text(), new RegExp(`<h1>Temporarily unavailable</h1><p>.*${MESSAGE}</p>`));
    const style = await fetch(`${http}/inspect/assets/inspect.css`);
    assert.deepEqual([style.status, style.headers.get("content-type")], [200, "text/css; charset=utf-8"]);
    await style.body?.cancel();
    const { status } = await client.groups(request, { metadata: MESH });
    assert.equal(status, "OK", "calls have a limit of their own");

    for (const probe of ["/healthz", "/readyz"]) {
      const answer = await fetch(`${http}${probe}`);
      assert.equal(answer.status, 200, await answer.text());
    }
    assert.equal(await client.health(), "SERVING");
    return underWay;
  });

  for (const answer of await Promise.all(underWay)) {
    assert.ok((await answer.json()).data.updateProfile.customer.version === 2);
  }
  assert.equal((await client.groups(request, { metadata: MESH })).status, "OK");
  assert.equal((await (await change("last")).json()).data.updateProfile.customer.version, 3);
  assert.match((await service.stop("SIGTERM")).output, /Refusing work: 5 requests are in flight/);
  assert.deepEqual(receiver.metrics().get("customer_service.load.refused"), [{ attributes: {}, value: 3 }]);
});

Deno.test("beyond GRPC_MAX_IN_FLIGHT calls are refused, and HTTP is not affected", async () => {
  await using world = await createWorld();
  const customer = await register(world);
  const env = { ...production(world.database.url), ...TRUSTING, GRPC_MAX_IN_FLIGHT: "1" };
  await using service = startService(env);
  const ports = await portsOf(service);
  using client = connect(ports.grpc);
  const request = asked({ storeId: customer.storeId, customerId: customer.id });
  const { underWay } = await world.admin.begin(async (tx) => {
    await tx`lock table customers in access exclusive mode`;
    const underWay = client.groups(request, { metadata: MESH });
    await eventually(async () => {
      const [waiting] = await world.admin`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      assert.ok(waiting);
    });
    const { status, details } = await client.groups(request, { metadata: MESH });
    assert.deepEqual([status, details], [
      "RESOURCE_EXHAUSTED",
      "Cannot accept the call: there is too much to do, try again",
    ]);
    const answer = await fetch(`http://127.0.0.1:${ports.http}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...gatewayHeaders(customer) },
      body: JSON.stringify({ query: "{ __typename }" }),
    });
    assert.deepEqual(await answer.json(), { data: { __typename: "Query" } });
    return { underWay };
  });
  assert.equal((await underWay).status, "OK");
});

Deno.test("incomplete operations do not count as in flight", async () => {
  await using world = await createWorld();
  const customer = await register(world);
  const env = { ...production(world.database.url), ...TRUSTING, MAX_IN_FLIGHT: "2" };
  await using service = startService(env);
  const ports = await portsOf(service);
  await using silent = new AsyncDisposableStack();
  const head = [
    "POST /graphql HTTP/1.1",
    "host: localhost",
    "content-type: application/json",
    "content-length: 99",
  ];
  for (let at = 0; at < 8; at++) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: ports.http });
    silent.defer(() => connection.close());
    await connection.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n{`));
  }
  using client = connect(ports.grpc);
  const request = asked({ storeId: customer.storeId, customerId: customer.id });
  for (let at = 0; at < 20; at++) {
    const answer = await fetch(`http://127.0.0.1:${ports.http}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...gatewayHeaders(customer) },
      body: JSON.stringify({ query: "{ me { id } }" }),
    });
    assert.deepEqual(await answer.json(), { data: { me: { id: customer.id } } });
    assert.equal((await client.groups(request, { metadata: MESH })).status, "OK");
  }
});

Deno.test("a late event loop refuses work until it has caught up, and a single pause does not", async () => {
  using load = monitorLoad();
  const limit = load.createLimit("requests", 10);
  const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
  await eventually(() => assert.ok(load.delayMs() < DELAY_LIMIT_MS / 4));
  block(DELAY_LIMIT_MS * 2);
  await turn();
  limit.acquire()!();

  for (let at = 0; at < 4; at++) {
    block(DELAY_LIMIT_MS * 2);
    await turn();
  }
  assert.ok(load.delayMs() > DELAY_LIMIT_MS);
  assert.equal(limit.acquire(), undefined);
  assert.equal(limit.inFlight(), 0);
  const leave = await eventually(() => limit.acquire() ?? assert.fail("it still refuses"));
  assert.equal(limit.inFlight(), 1);
  leave();
  assert.equal(limit.inFlight(), 0);
});

/** Blocks the event loop, like a long computation. */
function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}
