/** W3C trace context as text: in which trace something happens, and under which span of it. */

/** @see {@link https://www.w3.org/TR/trace-context/#traceparent-header} */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?<rest>-.*)?$/;

/** A header's trace context as this service passes it on; undefined where it is absent or breaks the standard. */
export function readTraceparent(header: string | null | undefined): string | undefined {
  const match = header?.match(TRACEPARENT);
  if (!match || (match.groups?.rest !== undefined && header?.startsWith("00"))) return undefined;
  const [, traceId, spanId, flags] = match;
  return `00-${traceId}-${spanId}-${flags}`;
}

/** A place in a trace of which nobody records anything yet. */
export function newTraceparent(traceId: string = randomHex(16)): string {
  return `00-${traceId}-${randomHex(8)}-00`;
}

/** The trace id of a valid traceparent: 32 hexadecimal digits. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}

/** Zeros alone would be invalid, and are less likely than anything that is. */
function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}
