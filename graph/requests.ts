/** Form of a GraphQL request: POST with a JSON body of limited size. */
import type { MiddlewareHandler } from "@hono/hono";
import { GraphQLError } from "graphql";
import type { Plugin } from "graphql-yoga";
import type { BodyReader } from "../http/body_reader.ts";
import { BodyError } from "../http/body_error.ts";
import { traceparentOf } from "../http/refusals.ts";
import { errorBody } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** Receives the body before the operation takes a slot in flight. */
export function takeBody(bodies: BodyReader): MiddlewareHandler {
  return async (c, next) => {
    try {
      await bodies.receive(c, { maxBytes: LIMITS.body });
    } catch (error) {
      if (!(error instanceof BodyError)) throw error;
      if (error.fault === "evicted") {
        return c.json(errorBody(error, traceparentOf(c)), 503);
      }
      const { message, status } = error;
      const refusal = new GraphQLError(message, { extensions: { code: "BAD_REQUEST" } });
      return c.json(errorBody(refusal, traceparentOf(c)), status);
    }
    await next();
  };
}

/**
 * Refuses every other method, since a query may contain personal values and URLs are logged, and every other
 * content type: a page of another site can send JSON only after a CORS preflight, which is always refused.
 */
export function useJsonPosts(): Plugin {
  return {
    onRequestParse({ request }) {
      if (request.method !== "POST") throw refuse(405, POST_ONLY, { allow: "POST" });
      const [type] = (request.headers.get("content-type") ?? "").split(";");
      if (type?.trim().toLowerCase() !== "application/json") {
        throw refuse(415, "the content type must be application/json", { accept: "application/json" });
      }
    },
  };
}

/** Names the settings with which urql, by default, and Apollo Client send queries by GET. */
const POST_ONLY =
  "the method must be POST, since URLs are logged: set preferGetMethod: false in urql, and leave " +
  "useGETForHashedQueries unset in Apollo Client";

function refuse(status: number, reason: string, headers: Record<string, string>): GraphQLError {
  return new GraphQLError(`Cannot accept the request: ${reason}`, {
    extensions: { code: "BAD_REQUEST", http: { status, headers } },
  });
}
