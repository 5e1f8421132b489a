/** Customer subgraph over HTTP: POST with a JSON body, one operation a request. */
import { buildSubgraphSchema } from "@apollo/subgraph";
import { createInMemoryAPQStore, useAPQ } from "@graphql-yoga/plugin-apq";
import { type Context, Hono, type MiddlewareHandler } from "@hono/hono";
import { parse } from "graphql";
import { createYoga } from "graphql-yoga";
import type { RefusalLog } from "../actors/refusal_log.ts";
import type { Authenticator } from "../auth/principals.ts";
import type { AddressVariables } from "../http/address.ts";
import type { BodyReader } from "../http/body_reader.ts";
import { type CountRequest, useAdmission } from "./admission.ts";
import { traceparentOf } from "../http/refusals.ts";
import { createCaller, type RequestFacts } from "./caller.ts";
import { errorBody, maskError, useMaskedValidation, useTraceIds } from "./errors.ts";
import { LIMITS, useLimits } from "./limits.ts";
import { takeBody, useJsonPosts } from "./requests.ts";
import { createResolvers, type ResolverOptions } from "./resolvers.ts";
import { useTelemetry } from "./telemetry.ts";
import { LRUCache } from "lru-cache";
import type { DocumentNode } from "graphql";

/** Limits of the document caches in characters: a parsed document takes about 100 bytes for each. */
const REMEMBERED = { maxSize: 256 * 1_024, sizeCalculation: (_: unknown, text: string) => text.length || 1 };
const DAY_MS = 24 * 60 * 60 * 1000;

export interface GraphOptions extends ResolverOptions {
  authenticate: Authenticator;
  bodies: BodyReader;
  refusals: RefusalLog;
  /** Admits an operation once its whole body has arrived. */
  admit?: MiddlewareHandler;
  /** Counts each operation of a shopper; absent: no rate limit. */
  count?: CountRequest;
  /** Disables GraphiQL, introspection and the SDL. */
  production: boolean;
  /** Token of the demo shopper, with which GraphiQL opens. */
  demoToken?: (() => Promise<string>) | undefined;
}

/** What GraphiQL opens with. */
const FIRST_QUERY = `{
  me {
    email
    firstName
    lastName
    addresses { line1 city isDefaultShipping }
    shopperGroups { name priority }
    gdprRequests { nodes { type status dueAt } }
  }
}
`;

/** Creates an app to mount at `/graphql`. */
export function createGraph(
  {
    authenticate,
    bodies,
    refusals,
    admit = (_, next) => next(),
    count = () => Promise.resolve(undefined),
    production,
    demoToken,
    ...options
  }: GraphOptions,
): Hono {
  const typeDefs = parse(Deno.readTextFileSync(new URL("./schema.graphql", import.meta.url)));
  // Yoga copies a context property by property, which takes longer than a small query.
  const facts = new WeakMap<Request, RequestFacts>();
  const yoga = createYoga({
    schema: buildSubgraphSchema([{ typeDefs, resolvers: createResolvers(options) }]),
    context: ({ request }) => createCaller(request, authenticate, refusals, facts.get(request)!),
    plugins: [
      useAdmission(count), // before telemetry, which wraps it
      useTelemetry(),
      useJsonPosts(),
      useLimits(production),
      useMaskedValidation({ suggests: !production }),
      useTraceIds((request) => facts.get(request)!.traceparent()),
      useAPQ({
        store: createInMemoryAPQStore({ max: LIMITS.persistedDocuments, ttl: DAY_MS }),
        responseConfig: { forceStatusCodeOk: true }, // as Apollo's own servers answer
      }),
    ],
    maskedErrors: { maskError },
    parserAndValidationCache: {
      documentCache: new LRUCache<string, DocumentNode>(REMEMBERED),
      errorCache: new LRUCache<string, Error>(REMEMBERED),
    },
    maxRequestBodySize: false, // takeBody limits the size
    graphiql: production ? false : async () => ({
      title: "customer-service",
      defaultQuery: FIRST_QUERY,
      ...(demoToken &&
        { headers: JSON.stringify({ authorization: `Bearer ${await demoToken()}` }, null, 2) }),
    }),
    renderGraphiQL: async (options) =>
      (await import("@graphql-yoga/render-graphiql")).renderGraphiQL(options), // large and rarely used
    landingPage: false,
    batching: false,
    multipart: false,
    cors: false,
    logging: false,
  });
  const answer = (c: Context<{ Variables: AddressVariables }>) => {
    facts.set(c.req.raw, { address: c.var.address, traceparent: () => traceparentOf(c) });
    return yoga.fetch(c.req.raw);
  };
  return new Hono()
    .all("/", takeBody(bodies), admit, answer)
    .onError((error, c) => {
      if (c.req.raw.signal.aborted) return new Response(null, { status: 499 }); // no client reads it
      return c.json(errorBody(error, traceparentOf(c)), 500);
    });
}
