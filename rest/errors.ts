/** How the domain's errors are told over HTTP, to callers other than the graph's. */
import { getLogger } from "@logtape/logtape";
import type { ContentfulStatusCode } from "@hono/hono/utils/http-status";
import { type ErrorCode } from "../domain/errors.ts";
import { asDomainError } from "../db/errors.ts";
import { refusalHeaders } from "../auth/refusals.ts";
import { BodyError } from "../http/body.ts";
import { STATUSES } from "../http/statuses.ts";
import { describeError } from "../lib/error_description.ts";

/** The body of every answer that is an error. */
export interface ErrorBody {
  code: ErrorCode | "INTERNAL_SERVER_ERROR";
  /** For a person; names ids and fields, never a personal value. */
  message: string;
}

export interface Answer {
  status: ContentfulStatusCode;
  body: ErrorBody;
  /** The challenge of a 401, and when to try again after a 503. */
  headers: Record<string, string>;
}

/** For a client that has gone: nobody reads it, and nothing is wrong on our side. */
export function brokenOff(): Response {
  return new Response(null, { status: 499 });
}

/** What a caller is told of an error. One that no caller may expect is logged here, and told without its detail. */
export function answerOf(error: unknown): Answer {
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
