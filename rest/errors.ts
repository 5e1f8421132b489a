/** Error responses over HTTP, except those of GraphQL. */
import { getLogger } from "@logtape/logtape";
import type { ContentfulStatusCode } from "@hono/hono/utils/http-status";
import { type ErrorCode } from "../domain/errors.ts";
import { asDomainError } from "../db/errors.ts";
import { refusalHeaders } from "../auth/refusals.ts";
import { BodyError } from "../http/body.ts";
import { STATUSES } from "../http/statuses.ts";
import { describeError } from "../lib/error_description.ts";

/** Body of every error response. */
export interface ErrorBody {
  code: ErrorCode | "INTERNAL_SERVER_ERROR";
  /** For people. It names IDs and fields, never personal values. */
  message: string;
}

export interface ErrorResponse {
  status: ContentfulStatusCode;
  body: ErrorBody;
  /** The challenge of a 401, or Retry-After of a 503. */
  headers: Record<string, string>;
}

/** Returns a response for a client that has closed the connection; this is not logged as an error. */
export function clientClosedRequest(): Response {
  return new Response(null, { status: 499 });
}

/** Maps an error to its response. An unexpected error is logged here and masked in the response. */
export function errorResponse(error: unknown): ErrorResponse {
  const expected = asDomainError(error);
  if (expected) {
    const { code, message } = expected;
    const isTooLarge = expected instanceof BodyError && expected.fault === "too_large";
    return {
      status: isTooLarge ? 413 : STATUSES[code],
      body: { code, message },
      headers: refusalHeaders(expected),
    };
  }
  getLogger(["customer-service", "rest"]).error("Cannot answer a request: {reason}", {
    reason: describeError(error),
  });
  return {
    status: 500,
    body: { code: "INTERNAL_SERVER_ERROR", message: "Something went wrong on our side" },
    headers: {},
  };
}
