/** W3C trace context: what ties the events that a command causes to the request that brought it. */
import { newTraceparent, readTraceparent, traceIdOf } from "../telemetry/traceparent.ts";

/** The trace id of a `traceparent` header, or a new one where the header is absent or breaks the standard. */
export function readTraceId(traceparent: string | null | undefined): string {
  return traceIdOf(readTraceparent(traceparent) ?? newTraceparent());
}

/** A trace id that no other request has: 32 hexadecimal digits. */
export function newTraceId(): string {
  return traceIdOf(newTraceparent());
}
