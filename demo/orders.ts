/** Sample order-service: a subgraph with fictional orders, for the schema deploy/router/order.graphql. */
import { buildSubgraphSchema } from "@apollo/subgraph";
import { Hono } from "@hono/hono";
import { GraphQLError, parse } from "graphql";
import { createYoga } from "graphql-yoga";
import { decodeJwt } from "jose";
import { DEMO } from "./ids.ts";

export interface Order {
  id: string;
  customerId: string;
  total: string;
  placedOn: string;
  recipientId: string;
}

const [mina, tom] = [DEMO.customerId, DEMO.secondCustomerId];

const ORDERS: Order[] = [
  { id: "1003", customerId: mina, total: "24.50 CHF", placedOn: "2026-02-27", recipientId: tom },
  { id: "1002", customerId: tom, total: "80.00 GBP", placedOn: "2026-02-11", recipientId: tom },
  { id: "1001", customerId: mina, total: "129.90 CHF", placedOn: "2026-01-15", recipientId: mina },
];

interface Context {
  /** @throws {GraphQLError} UNAUTHENTICATED */
  shopper(): string;
}

/** An app that answers at `/graphql`. */
export function createOrders(orders = ORDERS): Hono {
  const of = (customerId: string) => orders.filter((order) => order.customerId === customerId);
  const resolvers = {
    Query: {
      order: (_: unknown, { id }: { id: string }, { shopper }: Context) =>
        of(shopper()).find((order) => order.id === id),
    },
    Customer: {
      orders({ id }: { id: string }, _: unknown, { shopper }: Context) {
        if (id === shopper()) return of(id);
        throw refuse(
          "FORBIDDEN",
          `Cannot read the orders of customer ${id}: only the customer may read them`,
        );
      },
    },
    Order: { recipient: ({ recipientId }: Order) => ({ id: recipientId }) },
  };
  const sdl = Deno.readTextFileSync(new URL("../deploy/router/order.graphql", import.meta.url));
  const yoga = createYoga({
    schema: buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers }]),
    context: ({ request }): Context => ({ shopper: () => readShopper(request.headers) }),
    graphiql: false,
    landingPage: false,
    cors: false,
    logging: false,
  });
  return new Hono().all("/graphql", (c) => yoga.fetch(c.req.raw));
}

/** Accepts any token without verification, because the orders are fictional. A real service must verify. */
function readShopper(headers: Headers): string {
  const token = headers.get("authorization")?.match(/^Bearer +(\S+)$/i)?.[1];
  const shopper = (token ? subjectOf(token) : undefined) ?? headers.get("x-user-id");
  if (shopper) return shopper;
  throw refuse("UNAUTHENTICATED", "Cannot authenticate the request: it has no token of a shopper");
}

function subjectOf(token: string): string | undefined {
  try {
    return decodeJwt(token).sub;
  } catch {
    return undefined;
  }
}

function refuse(code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}
