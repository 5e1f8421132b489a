/** What a gateway is put into so that its promises can be kept: shoppers before it, two subgraphs behind it. */
import type { Order } from "../../demo/orders.ts";
import { JSON_BODY, post, type Reply } from "../graph/post.ts";

export interface Shopper {
  id: string;
  email: string;
  /** A header that proves it. */
  authorization: string;
}

export interface Asked {
  as?: Shopper;
  variables?: Record<string, unknown>;
  headers?: Record<string, string>;
}

export type SubgraphName = "customer" | "order";

export interface Setting {
  ask(query: string, asked?: Asked): Promise<Reply>;
  ada: Shopper;
  eve: Shopper;
  /** Has a valid token and an order, but customer-service knows nothing of it. */
  stranger: Shopper;
  /** The headers with which a subgraph was asked, the latest last. */
  seen: Record<SubgraphName, Headers[]>;
  /** Takes a subgraph out of the gateway's reach, for good. */
  takeAway(name: SubgraphName): Promise<void>;
}

/** How the gateway at `url` is asked. */
export function asking(url: string): Setting["ask"] {
  return (query, { as, variables, headers } = {}) =>
    post(url, JSON.stringify({ query, variables }), {
      ...JSON_BODY,
      ...(as ? { authorization: as.authorization } : {}),
      ...headers,
    });
}

/** Each has one; Eve's goes to Ada. */
export function ordersOf({ ada, eve, stranger }: Pick<Setting, "ada" | "eve" | "stranger">): Order[] {
  const placedOn = "2026-03-01";
  return [
    { id: "1", customerId: ada.id, total: "12.00 CHF", placedOn, recipientId: ada.id },
    { id: "2", customerId: eve.id, total: "9.00 CHF", placedOn, recipientId: ada.id },
    { id: "3", customerId: stranger.id, total: "5.00 CHF", placedOn, recipientId: stranger.id },
  ];
}
