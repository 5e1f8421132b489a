/** Error handler for responses that fail after their status has been sent. */
import { getLogger } from "@logtape/logtape";
import { DomainError } from "../domain/errors.ts";
import { describeError } from "../lib/error_description.ts";

/** `onError` of Deno.serve, whose default prints outside of the log. A stalled client is a DomainError and is not logged. */
export function onServeError(error: unknown): Response {
  if (!(error instanceof DomainError)) {
    getLogger(["customer-service", "http"]).error("Cannot finish a response: {reason}", {
      reason: describeError(error),
    });
  }
  return new Response(null, { status: 500 });
}
