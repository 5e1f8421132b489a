/** Expected errors and their codes. Each edge maps a code to its protocol. */

export type ErrorCode =
  | "INVALID_INPUT"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "RECENT_SIGN_IN_REQUIRED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "REFUSED_IN_STATE"
  | "CONFLICT"
  | "RATE_LIMITED"
  | "UNAVAILABLE";

/** A field of the input that is wrong. */
export interface FieldError {
  /** Path with dots: `corrections.phone`. */
  field: string;
  /** Requirement of the field, without its name and without its value. */
  message: string;
}

export interface DomainErrorOptions extends ErrorOptions {
  fields?: readonly FieldError[];
}

/** An error that a caller can act on. The message names IDs and fields, never a personal value. */
export class DomainError extends Error {
  override name = "DomainError";
  /** The fields that the message is about; empty if it is about the request as a whole. */
  readonly fields: readonly FieldError[];

  constructor(
    readonly code: ErrorCode,
    message: string,
    { fields = [], ...options }: DomainErrorOptions = {},
  ) {
    super(message, options);
    this.fields = fields;
  }
}

/** Whether an error is a `DomainError` of a code. */
export function hasCode(error: unknown, code: ErrorCode): error is DomainError {
  return error instanceof DomainError && error.code === code;
}

/**
 * Waits for a command that its actor may refuse in its state, because it was done before or is no longer needed.
 *
 * @returns undefined when it was refused
 */
export async function ignoreRefused<T>(sent: Promise<T>): Promise<T | undefined> {
  try {
    return await sent;
  } catch (error) {
    if (hasCode(error, "REFUSED_IN_STATE")) return undefined;
    throw error;
  }
}
