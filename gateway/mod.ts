/** Development gateway: serves the federated graph in this process, from the supergraph that the router uses. */
import { getStitchedSchemaFromSupergraphSdl } from "@graphql-tools/federation";
import { Hono } from "@hono/hono";
import { createYoga, type YogaInitialContext } from "graphql-yoga";
import { SUPERGRAPH } from "./supergraph.ts";

/** Headers to forward to all subgraphs, the same as in deploy/router/router.yaml. */
export const FORWARDED_HEADERS = [
  "authorization",
  "x-store-id",
  "x-user-id",
  "x-principal-type",
  "x-roles",
  "x-auth-time",
  "idempotency-key",
  "traceparent",
  "tracestate",
];

/** Headers to forward to customer-service only: the secret of the platform's gateway. */
export const CUSTOMER_HEADERS = ["x-gateway-secret"];

export interface GatewayOptions {
  /** Path at which it is mounted. */
  path: string;
  /** Handlers of the subgraphs by name. */
  subgraphs: Record<string, (request: Request) => Response | Promise<Response>>;
}

/** An app to mount at `path`. */
export async function createGateway({ path, subgraphs }: GatewayOptions): Promise<Hono> {
  const schema = getStitchedSchemaFromSupergraphSdl({
    supergraphSdl: await Deno.readTextFile(SUPERGRAPH),
    httpExecutorOpts: ({ name }) => {
      const subgraph = subgraphs[name.toLowerCase()];
      if (!subgraph) throw new Error(`Cannot serve the supergraph: the subgraph ${name} has no handler`);
      return {
        fetch: async (url, init) => await subgraph(new Request(url, init)),
        headers: (request) =>
          forwarded(
            (request?.context as YogaInitialContext).request.headers,
            name.toLowerCase() === "customer"
              ? [...FORWARDED_HEADERS, ...CUSTOMER_HEADERS]
              : FORWARDED_HEADERS,
          ),
      };
    },
  });
  const yoga = createYoga({
    schema,
    graphqlEndpoint: path,
    graphiql: { title: "The federated graph" },
    renderGraphiQL: async (options) =>
      (await import("@graphql-yoga/render-graphiql")).renderGraphiQL(options), // large and rarely needed
    maskedErrors: false, // the subgraphs have masked theirs
    landingPage: false,
    batching: false,
    multipart: false,
    cors: false,
    logging: false,
  });
  return new Hono().all("/", (c) => yoga.fetch(c.req.raw));
}

function forwarded(headers: Headers, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value]];
  }));
}
