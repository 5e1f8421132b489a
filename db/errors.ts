/** Classification of PostgreSQL's errors. */
import postgres from "postgres";
import { DomainError } from "../domain/errors.ts";

/** Overload: a wait for the database was refused or has timed out; the message names the limit. */
export class Overloaded extends Error {
  override name = "Overloaded";
  readonly code = "OVERLOADED";
}

const AWAY = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EAI_AGAIN", // a host name that does not resolve
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ENOENT", // a Unix socket that does not exist
  "ETIMEDOUT",
  "53300", // too_many_connections
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "25006", // read_only_sql_transaction: a demoted primary
]);

const BUSY = new Set([
  "OVERLOADED",
  "55P03", // lock_not_available: lock_timeout
  "57014", // query_canceled: statement_timeout
  "25P03", // idle_in_transaction_session_timeout
]);

/** Returns why the database cannot serve, when the same call may succeed later: completes "The database …". */
export function unavailability(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (AWAY.has(code)) return "cannot be reached";
  return BUSY.has(code) ? "has too much to do" : undefined;
}

/**
 * Converts any error into a `DomainError`: itself if it is one, UNAVAILABLE when PostgreSQL cannot serve now,
 * undefined for an unexpected error, which edges mask and log.
 */
export function asDomainError(error: unknown): DomainError | undefined {
  if (error instanceof DomainError) return error;
  const why = unavailability(error);
  return why === undefined
    ? undefined
    : new DomainError("UNAVAILABLE", `The database ${why}: try again`, { cause: error });
}

export function isUnavailable(error: unknown): boolean {
  return unavailability(error) !== undefined;
}

/** Returns whether PostgreSQL canceled the statement because of its timeout. */
export function isTimedOut(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === "57014";
}

/**
 * Returns whether PostgreSQL aborted the transaction for a concurrent one, so that a retry may succeed at
 * once.
 */
export function isSerializationFailure(error: unknown): boolean {
  return error instanceof postgres.PostgresError && (error.code === "40001" || error.code === "40P01");
}

/** Returns the name of the unique or check constraint that refused a row, or undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof postgres.PostgresError)) return undefined;
  return error.code === "23505" || error.code === "23514" ? error.constraint_name : undefined;
}
