// deno-lint-ignore-file no-console -- what a task prints is its result
/**
 * `deno task router`: puts the real Apollo Router with deploy/router before the real service and a sample
 * order-service, and sees whether it keeps what the gateway of development keeps, and what its configuration adds.
 * Prints a line for each promise; ends with 1 when one is broken.
 */
import assert from "node:assert/strict";
import { openDevelopmentIssuer } from "../../auth/development_issuer.ts";
import { DEMO } from "../../demo/ids.ts";
import { createOrders } from "../../demo/orders.ts";
import { startService, temporaryFolder } from "../service.ts";
import { PROMISES } from "./promises.ts";
import { findRouter, RouterMissing, startRouter } from "./router_process.ts";
import { ROUTER_PROMISES, type RouterSetting } from "./router_promises.ts";
import { asking, ordersOf, type Setting, type Shopper } from "./setting.ts";

async function main(): Promise<number> {
  const binary = await findRouter();
  await using stack = new AsyncDisposableStack();
  const setting = await arrange(binary, stack);
  const promises = Object.entries({ ...ROUTER_PROMISES, ...PROMISES }); // those that take a subgraph away come last
  let broken = 0;
  for (const [name, holds] of promises) {
    const failure = await holds(setting).then(() => undefined, (error: Error) => error);
    console.log(failure ? `BROKEN  ${name}\n${failure.message}` : `kept    ${name}`);
    if (failure) broken++;
  }
  const code = await setting.router.stop();
  console.log(code === 0 ? "kept    it ends with 0 when it is told to" : `BROKEN  it ends with ${code}`);
  if (code !== 0) broken++;
  console.log(`\n${promises.length + 1 - broken} kept, ${broken} broken`);
  return broken === 0 ? 0 : 1;
}

async function arrange(binary: string, stack: AsyncDisposableStack): Promise<RouterSetting> {
  const folder = stack.use(await temporaryFolder());
  const dataDirectory = `${folder.path}/data`;
  const service = stack.use(startService({ DATA_DIR: dataDirectory }));
  const serviceUrl = (await service.ready()).match(/http:\S+\/graphql$/m)?.[0];
  assert.ok(serviceUrl, "the service says where it is");

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

  const customer = between((request) => fetch(new Request(serviceUrl, request)));
  const order = between(orders.fetch);
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
    ask: asking(router.url),
    ada,
    eve,
    stranger,
    seen: { customer: customer.seen, order: order.seen },
    takeAway: (name) => subgraphs[name].server.shutdown(),
    router,
    collected: collector.collected,
  };
}

/** Stands before a subgraph on a port of its own and notes the headers that come by. */
function between(answer: (request: Request) => Response | Promise<Response>) {
  const seen: Setting["seen"]["customer"] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    seen.push(request.headers);
    return answer(request);
  });
  return { seen, server };
}

/** Takes whatever OpenTelemetry sends; strings stand in protobuf as they are. */
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
