/** The one error that a caller may expect, and its codes. Every edge answers each code in its own terms. */
import { unavailability } from "../db/errors.ts";

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

/**
 * The domain's word for any error: itself if it is one, UNAVAILABLE when PostgreSQL cannot serve now,
 * undefined for what no caller may expect. Edges mask and log the undefined ones.
 */
export function asDomainError(error: unknown): DomainError | undefined {
  if (error instanceof DomainError) return error;
  const why = unavailability(error);
  return why === undefined
    ? undefined
    : new DomainError("UNAVAILABLE", `The database ${why}: try again`, { cause: error });
}
