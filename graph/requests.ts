/** How the graph is asked: over POST, in JSON alone, and briefly. */
import type { MiddlewareHandler } from "@hono/hono";
import { bodyLimit } from "@hono/hono/body-limit";
import { GraphQLError } from "graphql";
import type { Plugin } from "graphql-yoga";
import { DomainError } from "../actors/errors.ts";
import { arrival } from "../door/body.ts";
import { maskError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/**
 * Refuses bodies over LIMITS.body. Yoga's own limit counts every body as it streams, which is a third of the
 * CPU time of a request; this one believes Content-Length, to which the HTTP server holds the client.
 */
export function limitBody(): MiddlewareHandler {
  const message = `Cannot take the request: its body has more than ${LIMITS.body} bytes`;
  return bodyLimit({
    maxSize: LIMITS.body,
    onError: (c) => c.json({ errors: [{ message, extensions: { code: "BAD_REQUEST" } }] }, 413),
  });
}

/** Bodies that are awaited at a time, so that what is held of them is bounded. */
const ARRIVING = 1_000;

/**
 * Has the body here before the operation takes anybody's place: anybody may begin to send one, and those who never
 * come to its end keep other operations waiting at the most.
 */
export function takeBody(limitMs?: number): MiddlewareHandler {
  let arriving = 0;
  return async (c, next) => {
    if (c.req.raw.body === null) return await next();
    if (arriving >= ARRIVING) {
      const error = new DomainError("UNAVAILABLE", "Cannot take the request: too many are still arriving");
      return c.json({ errors: [maskError(error)] }, 503, { "retry-after": "1" });
    }
    arriving++;
    try {
      await arrival(c.req.raw, limitMs);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return c.json({ errors: [{ message: error.message, extensions: { code: "BAD_REQUEST" } }] }, 400);
    } finally {
      arriving--;
    }
    await next();
  };
}

/**
 * Refuses every other method, since what a query carries may be personal and a URL ends in logs, and every other
 * content type: a page of another site can only send JSON once the browser has asked us, and we never agree.
 */
export function useJsonPosts(): Plugin {
  return {
    onRequestParse({ request }) {
      if (request.method !== "POST") throw refuse(405, "the method must be POST", { allow: "POST" });
      const [type] = (request.headers.get("content-type") ?? "").split(";");
      if (type?.trim().toLowerCase() !== "application/json") {
        throw refuse(415, "the content type must be application/json", { accept: "application/json" });
      }
    },
  };
}

function refuse(status: number, reason: string, headers: Record<string, string>): GraphQLError {
  return new GraphQLError(`Cannot take the request: ${reason}`, {
    extensions: { code: "BAD_REQUEST", http: { status, headers } },
  });
}
