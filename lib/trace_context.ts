/** W3C trace context in its text form, the traceparent header. */

/** @see {@link https://www.w3.org/TR/trace-context/#traceparent-header} */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?<rest>-.*)?$/;

/** The trace context of a header in its normalized form; undefined if it is absent or invalid. */
export function readTraceparent(header: string | null | undefined): string | undefined {
  const match = header?.match(TRACEPARENT);
  if (!match || (match.groups?.rest !== undefined && header?.startsWith("00"))) return undefined;
  const [, traceId, spanId, flags] = match;
  return `00-${traceId}-${spanId}-${flags}`;
}

/** A new traceparent that is not sampled. */
export function newTraceparent(traceId?: string): string {
  if (traceId !== undefined) return `00-${traceId}-${randomHex(8)}-00`;
  const digits = randomHex(24);
  return `00-${digits.slice(0, 32)}-${digits.slice(32)}-00`;
}

/** The trace ID of a valid traceparent: 32 hexadecimal digits. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}

/** All zeros would be invalid. The probability is negligible. */
function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}
