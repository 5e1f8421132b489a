/** Expected errors and their codes. Each edge maps a code to its protocol. */

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

/** An error that a caller can act on. The message names IDs and fields, never a personal value. */
export class DomainError extends Error {
  override name = "DomainError";

  constructor(readonly code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
