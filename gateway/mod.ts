/** The federated graph in this process, for development: what the router serves elsewhere, from the same supergraph. */
import { getStitchedSchemaFromSupergraphSdl } from "@graphql-tools/federation";
import { Hono } from "@hono/hono";
import { createYoga, type YogaInitialContext } from "graphql-yoga";
import { SUPERGRAPH } from "./supergraph.ts";

/** What the router, too, hands on to the subgraphs: deploy/router/router.yaml says so. */
export const FORWARDED_HEADERS = [
  "authorization",
  "x-store-id",
  "x-user-id",
  "x-principal-type",
  "x-roles",
  "idempotency-key",
  "traceparent",
  "tracestate",
];

/** What only customer-service receives: the proof of the platform's gateway. */
export const CUSTOMER_HEADERS = ["x-gateway-secret"];

export interface GatewayOptions {
  /** Where it is mounted. */
  path: string;
  /** What answers for each subgraph of the supergraph, by its name. */
  subgraphs: Record<string, (request: Request) => Response | Promise<Response>>;
}

/** An app to mount at `path`. */
export async function createGateway({ path, subgraphs }: GatewayOptions): Promise<Hono> {
  const schema = getStitchedSchemaFromSupergraphSdl({
    supergraphSdl: await Deno.readTextFile(SUPERGRAPH),
    httpExecutorOpts: ({ name }) => {
      const subgraph = subgraphs[name.toLowerCase()];
      if (!subgraph) throw new Error(`Cannot serve the supergraph: nothing answers for ${name}`);
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
      (await import("@graphql-yoga/render-graphiql")).renderGraphiQL(options), // large, and seldom asked for
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
