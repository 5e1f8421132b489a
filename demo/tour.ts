/** Tour: the text that a development start prints, with addresses and calls to paste. */
import type { DevelopmentIssuer } from "../auth/development_issuer.ts";
import { DEMO } from "./ids.ts";

const TOKEN_SECONDS = 8 * 60 * 60;

export interface TourOptions {
  bind: string;
  httpPort: number;
  grpcPort: number;
  /** Signs in to the inspector; undefined if development has no sign-in link. */
  signInCode: string | undefined;
  /** Description of the database. */
  database: string;
  /** Description of the sink. */
  events: string;
}

export async function tour(options: TourOptions, issuer: DevelopmentIssuer): Promise<string> {
  const { bind, httpPort, grpcPort, signInCode, database, events } = options;
  const { storeId, customerId } = DEMO;
  const shopper = await issuer.sign(
    {
      principal: { id: customerId, type: "CUSTOMER", storeId, roles: [], authenticatedAt: new Date() },
      service: undefined,
    },
    TOKEN_SECONDS,
  );
  const cart = await issuer.sign(
    { principal: { id: crypto.randomUUID(), type: "SYSTEM", storeId, roles: [] }, service: "cart-service" },
    TOKEN_SECONDS,
  );
  const host = hostOf(bind);
  const query = "{ me { email firstName addresses { line1 city } shopperGroups { name priceListId } } }";
  const signIn = signInCode === undefined ? "" : `/sign-in?code=${signInCode}`;
  return `customer-service is ready

  Inspector http://${host}:${httpPort}/inspect${signIn}
  REST      http://${host}:${httpPort}/docs
  GraphQL   http://${host}:${httpPort}/graphql
  Gateway   http://${host}:${httpPort}/gateway/graphql
  gRPC      ${host}:${grpcPort}
  Database  ${database}
  Events    ${events}

Query the graph as the demo shopper:

curl -s http://${host}:${httpPort}/graphql -H 'content-type: application/json' \\
  -H 'authorization: Bearer ${shopper}' \\
  -d '{"query":"${query}"}'

Query the federated graph, which includes a sample order-service:

curl -s http://${host}:${httpPort}/gateway/graphql -H 'content-type: application/json' \\
  -H 'authorization: Bearer ${shopper}' \\
  -d '{"query":"{ me { email orders { id total placedOn } } }"}'

Call gRPC as cart-service for the shopper's groups and price list:

npx -y @bufbuild/buf@1.74.0 curl --protocol grpc --http2-prior-knowledge \\
  -H 'authorization: Bearer ${cart}' \\
  -d '{"customer_id":"${customerId}","store_id":"${storeId}"}' \\
  http://${host}:${grpcPort}/io.shopstar.customer.v1.CustomerService/GetCustomerGroups

Other tokens: deno task token --help. Press Ctrl-C to stop.
`;
}

/** URL host at which this machine reaches a bound address. */
function hostOf(bind: string): string {
  if (bind === "0.0.0.0") return "127.0.0.1";
  if (/^[0:]+$/.test(bind)) return "[::1]";
  return bind.includes(":") ? `[${bind}]` : bind;
}
