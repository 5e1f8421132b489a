/** The one error that a caller may expect, and its codes. Every edge answers each code in its own terms. */

export type ErrorCode =
  | "INVALID_INPUT"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "REFUSED_IN_STATE"
  | "CONFLICT"
  | "RATE_LIMITED"
  | "UNAVAILABLE";

/** Something that a caller can act on. The message names ids and fields, never a personal value. */
export class DomainError extends Error {
  override name = "DomainError";

  constructor(readonly code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
