/** The subgraph in a supergraph, together with one that contributes `orders`, over HTTP to both. */
import assert from "node:assert/strict";
import { getStitchedSchemaFromSupergraphSdl } from "@graphql-tools/federation";
import { composeServices } from "@theguild/federation-composition";
import { execute, type ExecutionResult, type GraphQLSchema, parse, print } from "graphql";
import type { Principal } from "../../actors/principal.ts";
import { ADDRESS, tell } from "../actors/world.ts";
import { createOrders, type Order, ORDERS_SDL } from "./order_subgraph.ts";
import { bearer, JSON_BODY, registerShopper, serve, startGraph, type TestGraph } from "./server.ts";

Deno.test("me comes from us and its orders from order-service, in one query", async () => {
  await using graph = await startGraph({ production: true });
  const { ref, as } = await registerShopper(graph.world, { email: "ada@example.com" });
  await using gateway = await startGateway(graph, [
    { id: "1", customerId: ref.id, total: "12.00 CHF" },
    { id: "2", customerId: crypto.randomUUID(), total: "9.00 CHF" },
  ]);
  const { data, errors } = await gateway.ask(`{ me { email orders { id total } } }`, as);
  assert.equal(errors, undefined);
  assert.deepEqual(plain(data), {
    me: { email: "ada@example.com", orders: [{ id: "1", total: "12.00 CHF" }] },
  });
});

Deno.test("a customer that an order refers to is given to that customer alone", async () => {
  await using graph = await startGraph({ production: true });
  const { ref, as } = await registerShopper(graph.world, { email: "ada@example.com" });
  await tell(graph.world, ref, "address.add", ADDRESS);
  const eve = await registerShopper(graph.world);
  await using gateway = await startGateway(graph, [{ id: "1", customerId: ref.id, total: "12.00 CHF" }]);
  const query = `{ order(id: "1") { total customer { id email addresses { city } } } }`;

  const own = await gateway.ask(query, as);
  assert.equal(own.errors, undefined);
  assert.deepEqual(plain(own.data), {
    order: {
      total: "12.00 CHF",
      customer: { id: ref.id, email: "ada@example.com", addresses: [{ city: ADDRESS.city }] },
    },
  });
  for (const [by, code] of [[eve.as, "FORBIDDEN"], [undefined, "UNAUTHENTICATED"]] as const) {
    const { data, errors } = await gateway.ask(query, by);
    assert.doesNotMatch(JSON.stringify([data, errors]), /ada@example\.com|Zürich/);
    assert.ok(errors?.some(({ extensions }) => extensions.code === code));
  }
});

Deno.test("a refused me leaves the rest of the answer as it is", async () => {
  await using graph = await startGraph({ production: true });
  await using gateway = await startGateway(graph, [{
    id: "1",
    customerId: crypto.randomUUID(),
    total: "12.00 CHF",
  }]);
  const { data, errors } = await gateway.ask(`{ me { email } order(id: "1") { total } }`);
  assert.deepEqual(plain(data), { me: null, order: { total: "12.00 CHF" } });
  assert.deepEqual(errors?.map(({ extensions, path }) => [extensions.code, path]), [["UNAUTHENTICATED", [
    "me",
  ]]]);
});

Deno.test("a change passes through the gateway with its headers", async () => {
  await using graph = await startGraph({ production: true });
  const { as } = await registerShopper(graph.world);
  await using gateway = await startGateway(graph, []);
  const add = `mutation ($input: AddAddressInput!) { addAddress(input: $input) { id city } }`;
  const headers = { "idempotency-key": "one" };
  const first = await gateway.ask(add, as, { variables: { input: ADDRESS }, headers });
  const again = await gateway.ask(add, as, { variables: { input: ADDRESS }, headers });
  assert.equal(first.errors, undefined);
  assert.deepEqual(plain(again.data), plain(first.data));
  const { data } = await gateway.ask(`{ me { addresses { city } orders { id } } }`, as);
  assert.deepEqual(plain(data), { me: { addresses: [{ city: ADDRESS.city }], orders: [] } });
});

interface Request {
  variables?: Record<string, unknown>;
  headers?: Record<string, string>;
}

interface Gateway extends AsyncDisposable {
  ask(query: string, by?: Principal, request?: Request): Promise<ExecutionResult>;
}

/** A gateway in this process, before both subgraphs; it hands the client's headers on, as the router is told to. */
async function startGateway(graph: TestGraph, orders: Order[]): Promise<Gateway> {
  const server = serve(createOrders(orders));
  const urls = { CUSTOMERS: graph.url, ORDERS: `http://127.0.0.1:${server.addr.port}/graphql` };
  const schema = await compose(urls);
  return {
    async ask(query, by, { variables, headers } = {}) {
      const token: Record<string, string> = by ? { authorization: await bearer(graph.issuer, by) } : {};
      const contextValue = { headers: { ...token, ...headers } };
      return await execute({ schema, document: parse(query), variableValues: variables ?? {}, contextValue });
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function compose(urls: Record<string, string>): Promise<GraphQLSchema> {
  const sdl = await Deno.readTextFile(new URL("../../graph/schema.graphql", import.meta.url));
  const { supergraphSdl, errors } = composeServices([
    { name: "customers", typeDefs: parse(sdl), url: urls.CUSTOMERS! },
    { name: "orders", typeDefs: parse(ORDERS_SDL), url: urls.ORDERS! },
  ]);
  assert.equal(errors, undefined);
  return getStitchedSchemaFromSupergraphSdl({
    supergraphSdl: supergraphSdl!,
    onSubschemaConfig(subschema) {
      subschema.executor = async ({ document, variables, context }) => {
        const response = await fetch(urls[subschema.name.toUpperCase()]!, {
          method: "POST",
          headers: { ...JSON_BODY, ...context?.headers },
          body: JSON.stringify({ query: print(document), variables }),
        });
        return await response.json();
      };
    },
  });
}

/** GraphQL's objects have no prototype. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
