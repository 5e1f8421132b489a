/** Gateway fixture: shoppers and two subgraphs. */
import type { Order } from "../../demo/orders.ts";
import { JSON_BODY, post, type Reply } from "../graph/post.ts";

export interface Shopper {
  id: string;
  email: string;
  /** Authorization header. */
  authorization: string;
}

export interface QueryOptions {
  as?: Shopper;
  variables?: Record<string, unknown>;
  headers?: Record<string, string>;
}

export type SubgraphName = "customer" | "order";

export interface GatewayFixture {
  ask(query: string, options?: QueryOptions): Promise<Reply>;
  ada: Shopper;
  eve: Shopper;
  /** Has a valid token and an order, but does not exist in customer-service. */
  stranger: Shopper;
  /** Headers of each subgraph's requests, the latest last. */
  requests: Record<SubgraphName, Headers[]>;
  /** Makes a subgraph unreachable permanently. */
  shutDown(name: SubgraphName): Promise<void>;
}

/** Returns a function that queries the gateway at `url`. */
export function createQuery(url: string): GatewayFixture["ask"] {
  return (query, { as, variables, headers } = {}) =>
    post(url, JSON.stringify({ query, variables }), {
      ...JSON_BODY,
      ...(as ? { authorization: as.authorization } : {}),
      ...headers,
    });
}

/** One order of each shopper. The recipient of Eve's is Ada. */
export function ordersOf({ ada, eve, stranger }: Pick<GatewayFixture, "ada" | "eve" | "stranger">): Order[] {
  const placedOn = "2026-03-01";
  return [
    { id: "1", customerId: ada.id, total: "12.00 CHF", placedOn, recipientId: ada.id },
    { id: "2", customerId: eve.id, total: "9.00 CHF", placedOn, recipientId: ada.id },
    { id: "3", customerId: stranger.id, total: "5.00 CHF", placedOn, recipientId: stranger.id },
  ];
}
