/** How the graph is asked: over POST and in JSON alone. */
import { GraphQLError } from "graphql";
import type { Plugin } from "graphql-yoga";

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
