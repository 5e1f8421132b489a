/** Violation of RFC 7541. The dynamic tables are out of step: end the connection with COMPRESSION_ERROR. */
export class HpackError extends Error {
  override readonly name = "HpackError";
}
