/** Error responses over HTTP, except those of GraphQL. */
import type { Context } from "@hono/hono";
import { getLogger } from "@logtape/logtape";
import type { ContentfulStatusCode } from "@hono/hono/utils/http-status";
import { asDomainError } from "../db/errors.ts";
import { refusalHeaders } from "../auth/refusals.ts";
import { BodyError } from "../http/body_error.ts";
import { type ErrorBody, traceparentOf } from "../http/refusals.ts";
import { STATUSES } from "../http/statuses.ts";
import { describeError } from "../lib/error_description.ts";
import { traceIdOf } from "../lib/trace_context.ts";

export interface ErrorResponse {
  status: ContentfulStatusCode;
  body: ErrorBody;
  /** The challenge of a 401, or Retry-After of a 429 or 503. */
  headers: Record<string, string>;
}

/** Returns a response for a client that has closed the connection; this is not logged as an error. */
export function clientClosedRequest(): Response {
  return new Response(null, { status: 499 });
}

/**
 * Maps an error to its response. An unexpected error is logged here and masked in the response.
 *
 * @param traceId absent in the lines of a stream
 */
export function errorResponse(error: unknown, traceId?: string): ErrorResponse {
  const trace = traceId === undefined ? {} : { traceId };
  const expected = asDomainError(error);
  if (expected) {
    const { code, message, fields } = expected;
    const details = fields.filter(({ field }) => field !== ""); // those of the request as a whole have no field
    return {
      status: expected instanceof BodyError ? expected.status : STATUSES[code],
      body: { code, message, ...(details.length > 0 && { details }), ...trace },
      headers: refusalHeaders(expected),
    };
  }
  getLogger(["customer-service", "rest"]).error("Cannot answer a request: {reason}", {
    reason: describeError(error),
    ...trace,
  });
  return {
    status: 500,
    body: { code: "INTERNAL_SERVER_ERROR", message: "Something went wrong on our side", ...trace },
    headers: {},
  };
}

/** Sends the response to an error. Headers that are already set, such as an exact Retry-After, take precedence. */
export function respondWithError(c: Context, error: unknown, knownStatus?: ContentfulStatusCode): Response {
  const { status, body, headers } = errorResponse(error, traceIdOf(traceparentOf(c)));
  for (const [name, value] of Object.entries(headers)) {
    if (!c.res.headers.has(name)) c.header(name, value);
  }
  return c.json(body, knownStatus ?? status);
}
