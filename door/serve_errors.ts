/** What happens when an answer fails after its status has been sent. */
import { getLogger } from "@logtape/logtape";
import { DomainError } from "../domain/errors.ts";
import { describeError } from "../lib/error_description.ts";

/** For Deno.serve, whose default prints the error outside of the log. A client that stalls is a DomainError, and no error. */
export function onServeError(error: unknown): Response {
  if (!(error instanceof DomainError)) {
    getLogger(["customer-service", "http"]).error("Cannot finish an answer: {reason}", {
      reason: describeError(error),
    });
  }
  return new Response(null, { status: 500 });
}
