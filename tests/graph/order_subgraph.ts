/** A small order-service: it contributes `orders` to the customer that the token names, as the real one does. */
import { buildSubgraphSchema } from "@apollo/subgraph";
import { Hono } from "@hono/hono";
import { parse } from "graphql";
import { createYoga } from "graphql-yoga";

export const ORDERS_SDL = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])

  type Query {
    order(id: ID!): Order
  }

  type Customer @key(fields: "id") {
    id: ID!
    orders: [Order!]!
  }

  type Order @key(fields: "id") {
    id: ID!
    total: String!
    customer: Customer!
  }
`;

export interface Order {
  id: string;
  customerId: string;
  total: string;
}

export function createOrders(orders: Order[]): Hono {
  const resolvers = {
    Query: { order: (_: unknown, { id }: { id: string }) => orders.find((order) => order.id === id) },
    Customer: { orders: ({ id }: { id: string }) => orders.filter(({ customerId }) => customerId === id) },
    Order: { customer: ({ customerId }: Order) => ({ __typename: "Customer", id: customerId }) },
  };
  const schema = buildSubgraphSchema([{ typeDefs: parse(ORDERS_SDL), resolvers }]);
  const yoga = createYoga({ schema, logging: false, graphiql: false });
  return new Hono().all("/graphql", (c) => yoga.fetch(c.req.raw));
}
