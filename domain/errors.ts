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

/** What is wrong with one field of an input. */
export interface FieldProblem {
  /** Path of the field in the input: `phone`, `corrections.phone`; empty for the input as a whole. */
  field: string;
  /** What was expected, never the value: "must be a UUID". */
  message: string;
}

export interface DomainErrorOptions extends ErrorOptions {
  /** With INVALID_INPUT: the wrong fields, of which the message names each. */
  fields?: readonly FieldProblem[];
}

/** An error that a caller can act on. The message names IDs and fields, never a personal value. */
export class DomainError extends Error {
  override name = "DomainError";
  /** The wrong fields of an input; empty if the error is not about fields. */
  readonly fields: readonly FieldProblem[];

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
