/** How the graph is asked: over POST, in JSON alone, and briefly. */
import type { MiddlewareHandler } from "@hono/hono";
import { GraphQLError } from "graphql";
import type { Plugin } from "graphql-yoga";
import type { BodyReader } from "../http/body_reader.ts";
import { BodyError } from "../http/body.ts";
import { maskError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** Receives the body before the operation takes a place in flight. */
export function takeBody(bodies: BodyReader): MiddlewareHandler {
  return async (c, next) => {
    try {
      await bodies.receive(c, { maxBytes: LIMITS.body });
    } catch (error) {
      if (!(error instanceof BodyError)) throw error;
      if (error.fault === "evicted") {
        return c.json({ errors: [maskError(error)] }, 503);
      }
      const { message } = error;
      const status = error.fault === "too_large" ? 413 : 400;
      return c.json({ errors: [{ message, extensions: { code: "BAD_REQUEST" } }] }, status);
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
