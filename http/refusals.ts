/** Body of an error response in JSON. */
import type { Context } from "@hono/hono";
import type { ErrorCode, FieldError } from "../domain/errors.ts";
import { newTraceparent, readTraceparent, traceIdOf } from "../lib/trace_context.ts";
import { activeTraceparent } from "../telemetry/spans.ts";

export interface ErrorBody {
  code: ErrorCode | "INTERNAL_SERVER_ERROR";
  /** For people. It names IDs and fields, never personal values. */
  message: string;
  /** The fields that are wrong. */
  details?: FieldError[];
  /** ID of the request's trace. Absent in the lines of a stream. */
  traceId?: string;
}

/**
 * The trace context of the request: of the active span, of the caller, or a new one. It is the same one each time for
 * one request.
 */
export function traceparentOf(c: Context): string {
  const known: string | undefined = c.get("traceparent");
  if (known !== undefined) return known;
  const traceparent = activeTraceparent() ?? readTraceparent(c.req.header("traceparent")) ?? newTraceparent();
  c.set("traceparent", traceparent);
  return traceparent;
}

/** Creates the body of a response that a middleware sends itself. */
export function refusalBody(c: Context, code: ErrorCode, message: string): ErrorBody {
  return { code, message, traceId: traceIdOf(traceparentOf(c)) };
}
