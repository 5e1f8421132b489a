// deno-lint-ignore-file no-console -- what a task prints is its result
/**
 * `deno task router`: tests the real Apollo Router with deploy/router, in front of the real service and a sample
 * order-service, against the expectations of both gateways and of the router's configuration.
 * Prints a line for each expectation. Exits with 1 if one fails.
 */
import assert from "node:assert/strict";
import { openDevelopmentIssuer } from "../../auth/development_issuer.ts";
import { DEMO } from "../../demo/ids.ts";
import { createOrders } from "../../demo/orders.ts";
import { startService, temporaryFolder } from "../service.ts";
import { EXPECTATIONS } from "./expectations.ts";
import { findRouter, RouterMissing, startRouter } from "./router_process.ts";
import { ROUTER_EXPECTATIONS, type RouterFixture } from "./router_expectations.ts";
import { createQuery, type GatewayFixture, ordersOf, type Shopper } from "./fixture.ts";

async function main(): Promise<number> {
  const binary = await findRouter();
  await using stack = new AsyncDisposableStack();
  const fixture = await arrange(binary, stack);
  const expectations = Object.entries({ ...ROUTER_EXPECTATIONS, ...EXPECTATIONS }); // the last ones shut subgraphs down
  let failed = 0;
  for (const [name, holds] of expectations) {
    const failure = await holds(fixture).then(() => undefined, (error: Error) => error);
    console.log(failure ? `FAILED  ${name}\n${failure.message}` : `passed  ${name}`);
    if (failure) failed++;
  }
  const code = await fixture.router.stop();
  console.log(code === 0 ? "passed  it exits with 0 after SIGTERM" : `FAILED  it exits with ${code}`);
  if (code !== 0) failed++;
  console.log(`\n${expectations.length + 1 - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function arrange(binary: string, stack: AsyncDisposableStack): Promise<RouterFixture> {
  const folder = stack.use(await temporaryFolder());
  const dataDirectory = `${folder.path}/data`;
  const service = stack.use(startService({ DATA_DIR: dataDirectory }));
  const serviceUrl = (await service.ready()).match(/http:\S+\/graphql$/m)?.[0];
  assert.ok(serviceUrl, "the service prints its address");

  const issuer = await openDevelopmentIssuer(dataDirectory);
  const known = async (id: string, email: string): Promise<Shopper> => {
    const principal = { id, type: "CUSTOMER" as const, storeId: DEMO.storeId, roles: [] };
    const token = await issuer.sign({ principal, service: undefined }, 600);
    return { id, email, authorization: `Bearer ${token}` };
  };
  const ada = await known(DEMO.customerId, "mina.keller@shop.example");
  const eve = await known(DEMO.secondCustomerId, "tom.berg@shop.example");
  const stranger = await known(crypto.randomUUID(), "");
  const orders = createOrders(ordersOf({ ada, eve, stranger }));

  const customer = recordHeaders((request) => fetch(new Request(serviceUrl, request)));
  const order = recordHeaders(orders.fetch);
  const subgraphs = { customer, order };
  for (const { server } of Object.values(subgraphs)) stack.defer(() => server.shutdown());
  const collector = startCollector();
  stack.defer(() => collector.server.shutdown());

  const router = stack.use(
    await startRouter(binary, {
      CUSTOMER_URL: `http://127.0.0.1:${customer.server.addr.port}/graphql`,
      ORDER_URL: `http://127.0.0.1:${order.server.addr.port}/graphql`,
      OTLP_ENABLED: "true",
      OTLP_ENDPOINT: `http://127.0.0.1:${collector.server.addr.port}`,
      ROUTER_TRACE_SAMPLER: "always_on",
    }),
  );
  return {
    ask: createQuery(router.url),
    ada,
    eve,
    stranger,
    requests: { customer: customer.requests, order: order.requests },
    shutDown: (name) => subgraphs[name].server.shutdown(),
    router,
    collected: collector.collected,
  };
}

/** Proxy in front of a subgraph that records the request headers. */
function recordHeaders(answer: (request: Request) => Response | Promise<Response>) {
  const requests: GatewayFixture["requests"]["customer"] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    requests.push(request.headers);
    return answer(request);
  });
  return { requests, server };
}

/** OTLP collector that stores all bodies. Protobuf contains strings as plain text. */
function startCollector() {
  const collected = new Map<string, string>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    collected.set(pathname, `${collected.get(pathname) ?? ""}${await request.text()}`);
    return new Response(null, { headers: { "content-type": "application/x-protobuf" } });
  });
  return { collected, server };
}

try {
  Deno.exitCode = await main();
} catch (error) {
  if (!(error instanceof RouterMissing)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
