/** The development gateway meets the same expectations as the router, with a subgraph on a real PostgreSQL. */
import { Hono } from "@hono/hono";
import assert from "node:assert/strict";
import { createOrders } from "../../demo/orders.ts";
import { createGateway, CUSTOMER_HEADERS, FORWARDED_HEADERS } from "../../gateway/mod.ts";
import { shopper } from "../actors/world.ts";
import { bearer, registerShopper, serve, startGraph, type TestGraph } from "../graph/server.ts";
import { EXPECTATIONS } from "./expectations.ts";
import { createQuery, type GatewayFixture, ordersOf, type Shopper, type SubgraphName } from "./fixture.ts";

const PATH = "/gateway/graphql";

for (const [name, holds] of Object.entries(EXPECTATIONS)) {
  Deno.test(`development gateway: ${name}`, async () => {
    await using gateway = await startGateway();
    await holds(gateway.fixture);
  });
}

Deno.test("the development gateway forwards the same headers as the router", async () => {
  const yaml = await Deno.readTextFile(new URL("../../deploy/router/router.yaml", import.meta.url));
  const named = Array.from(yaml.matchAll(/propagate: \{ named: ([\w-]+) \}/g), ([, name]) => name);
  assert.match(yaml, /trace_context: true/);
  const everywhere = named.filter((name) => !CUSTOMER_HEADERS.includes(name ?? ""));
  assert.deepEqual([...everywhere, "traceparent", "tracestate"], FORWARDED_HEADERS);
  const ofCustomer = yaml.match(/^ {4}customer:\n {6}request:\n(?: {8}.*\n)+/m)?.[0] ?? "";
  for (const name of CUSTOMER_HEADERS) {
    assert.deepEqual(named.filter((other) => other === name).length, 1);
    assert.match(ofCustomer, new RegExp(`named: ${name} `));
  }
});

Deno.test("the development gateway has introspection and a page that loads nothing from other hosts", async () => {
  await using gateway = await startGateway();
  const { data } = await gateway.fixture.ask(`{ __type(name: "Customer") { fields { name } } }`);
  const fields = data.__type.fields.map(({ name }: { name: string }) => name);
  assert.ok(["email", "gdprRequests", "orders"].every((name) => fields.includes(name)));
  for (const url of [gateway.url, gateway.graph.url]) {
    const response = await fetch(url, { headers: { accept: "text/html" } });
    const page = await response.text();
    assert.match(page, /GraphiQL/);
    assert.doesNotMatch(page, /<(script|link)[^>]*(src|href)="?https?:|unpkg\.com|jsdelivr/);
  }
});

interface TestGateway extends AsyncDisposable {
  url: string;
  graph: TestGraph;
  fixture: GatewayFixture;
}

async function startGateway(): Promise<TestGateway> {
  await using stack = new AsyncDisposableStack();
  const graph = stack.use(await startGraph());
  const registered = async (email: string): Promise<Shopper> => {
    const { ref, as } = await registerShopper(graph.world, { email });
    return { id: ref.id, email, authorization: await bearer(graph.issuer, as) };
  };
  const ada = await registered("ada@example.com");
  const eve = await registered("eve@example.com");
  const unknown = shopper({ kind: "customer", storeId: graph.world.storeId, id: crypto.randomUUID() });
  const stranger = { id: unknown.id, email: "", authorization: await bearer(graph.issuer, unknown) };
  const orders = createOrders(ordersOf({ ada, eve, stranger }));

  const requests: GatewayFixture["requests"] = { customer: [], order: [] };
  const down = new Set<SubgraphName>();
  const recorded = (name: SubgraphName, answer: (request: Request) => Response | Promise<Response>) => {
    return async (request: Request) => {
      if (down.has(name)) return await fetch("http://127.0.0.1:2/graphql");
      requests[name].push(request.headers);
      return await answer(request);
    };
  };
  const subgraphs = {
    customer: recorded("customer", (request) => fetch(new Request(graph.url, request))),
    order: recorded("order", (request) => orders.fetch(request)),
  };
  const app = new Hono().route(PATH, await createGateway({ path: PATH, subgraphs }));
  const server = stack.adopt(serve(app), (server) => server.shutdown());
  const url = `http://127.0.0.1:${server.addr.port}${PATH}`;
  const running = stack.move();
  return {
    url,
    graph,
    fixture: {
      ask: createQuery(url),
      ada,
      eve,
      stranger,
      requests,
      shutDown: (name) => Promise.resolve(void down.add(name)),
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
