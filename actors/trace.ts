/** W3C trace context: what ties the events that a command causes to the request that brought it. */

/** @see {@link https://www.w3.org/TR/trace-context/#traceparent-header} */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?<rest>-.*)?$/;

/** The trace id of a `traceparent` header, or a new one where the header is absent or breaks the standard. */
export function readTraceId(traceparent: string | null | undefined): string {
  const match = traceparent?.match(TRACEPARENT);
  const tooLong = match?.groups?.rest !== undefined && traceparent?.startsWith("00");
  return match?.[1] && !tooLong ? match[1] : newTraceId();
}

/** A trace id that no other request has: 32 hexadecimal digits. */
export function newTraceId(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}
