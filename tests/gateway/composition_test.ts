/** Composition of the customer subgraph with subgraphs of neighbors, which use the names that a shop usually has. */
import assert from "node:assert/strict";
import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";

const link = (version: string, ...imports: string[]) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/${version}", import: ${
    JSON.stringify(imports)
  })`;

/** SDL of a neighbor by what it does. */
const NEIGHBORS: Record<string, string> = {
  "has an address of its own": `
    ${link("v2.3", "@key")}
    type Order @key(fields: "id") { id: ID! shippingAddress: Address }
    type Address { line1: String! city: String! country: String! }
    type Query { order(id: ID!): Order }`,
  "shares an address of its own": `
    ${link("v2.9", "@key", "@shareable")}
    type Order @key(fields: "id") { id: ID! shippingAddress: Address }
    type Address @shareable { line1: String! line2: String city: String! country: String! recipient: String! }
    type Query { order(id: ID!): Order }`,
  "has an address entity of its own": `
    ${link("v2.0", "@key")}
    type Address @key(fields: "id") { id: ID! line1: String! zone: String! }
    type Query { address(id: ID!): Address }`,
  "refers to an address of the book": `
    ${link("v2.0", "@key")}
    type Order @key(fields: "id") { id: ID! shippingAddress: CustomerAddress }
    type CustomerAddress @key(fields: "id", resolvable: false) { id: ID! }
    type Query { order(id: ID!): Order }`,
  "adds a field to an address of the book": `
    ${link("v2.7", "@key", "@external", "@requires")}
    type CustomerAddress @key(fields: "id") {
      id: ID!
      country: String! @external
      deliveryDays: Int @requires(fields: "country")
    }`,
  "adds a field to a shopper group": `
    ${link("v2.5", "@key")}
    type ShopperGroup @key(fields: "id") { id: ID! discount: String! }
    type Query { shopperGroup(id: ID!): ShopperGroup }`,
  "resolves the price list of a shopper group": `
    ${link("v2.3", "@key", "@external", "@requires")}
    type ShopperGroup @key(fields: "id") {
      id: ID!
      priceListId: ID! @external
      priceList: PriceList @requires(fields: "priceListId")
    }
    type PriceList @key(fields: "id") { id: ID! name: String! }`,
  "resolves a shopper group's name too": `
    ${link("v2.3", "@key", "@shareable")}
    type ShopperGroup @key(fields: "id") { id: ID! name: String! @shareable priority: Int! @shareable }
    type Query { shopperGroup(id: ID!): ShopperGroup }`,
  "needs the email of a customer": `
    ${link("v2.3", "@key", "@external", "@requires")}
    type Customer @key(fields: "id") {
      id: ID!
      email: String! @external
      points: Int @requires(fields: "email")
    }`,
  "has connections of its own": `
    ${link("v2.3", "@key", "@shareable")}
    type Customer @key(fields: "id") { id: ID! orders(first: Int, after: String): OrderConnection! }
    type OrderConnection { edges: [OrderEdge!]! nodes: [Order!]! pageInfo: PageInfo! }
    type OrderEdge { cursor: String! node: Order! }
    type Order @key(fields: "id") { id: ID! }
    type PageInfo @shareable {
      hasNextPage: Boolean!
      hasPreviousPage: Boolean!
      startCursor: String
      endCursor: String
    }`,
  "has the scalar of a time": `
    ${link("v2.3", "@key")}
    scalar DateTime
    type Order @key(fields: "id") { id: ID! placedAt: DateTime! }
    type Query { order(id: ID!): Order }`,
  "still has federation 1": `
    extend type Customer @key(fields: "id") { id: ID! @external visits: Int }`,
};

for (const [what, sdl] of Object.entries(NEIGHBORS)) {
  Deno.test(`the subgraph composes with a neighbor that ${what}`, async () => {
    assert.deepEqual(await compose(sdl), []);
  });
}

Deno.test("the subgraph composes with all neighbors whose types do not exclude each other", async () => {
  const neighbors = Object.entries(NEIGHBORS).filter(([what]) =>
    !/address of its own|address entity|time|name too/.test(what)
  );
  assert.ok(neighbors.length > 5);
  const orders = /type Query \{ order\(id: ID!\): Order \}|type Order @key\(fields: "id"\) \{ id: ID! \}/;
  assert.deepEqual(await compose(...neighbors.map(([, sdl]) => sdl).filter((sdl) => !orders.test(sdl))), []);
});

Deno.test("a neighbor that defines a field of the customer does not compose", async () => {
  const errors = await compose(`
    ${link("v2.3", "@key")}
    type Customer @key(fields: "id") { id: ID! email: String! }`);
  assert.match(errors.join(), /email/);
});

/** Returns the reasons why the subgraph does not compose with neighbors. */
async function compose(...neighbors: string[]): Promise<string[]> {
  const schema = await Deno.readTextFile(new URL("../../graph/schema.graphql", import.meta.url));
  const services = [schema, ...neighbors].map((sdl, at) => ({
    name: at === 0 ? "customer" : `neighbor${at}`,
    url: `http://subgraph-${at}.example/graphql`,
    typeDefs: parse(sdl),
  }));
  return composeServices(services).errors?.map(({ message }) => message) ?? [];
}
