/** What PostgreSQL's failures mean, and how to tell of them without the values that they quote. */
import postgres from "postgres";

const CONNECTION_CODES = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EAI_AGAIN", // a name that cannot be looked up
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ENOENT", // a Unix socket that is not there
  "ETIMEDOUT",
  "53300", // too_many_connections
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "25006", // read_only_sql_transaction: a demoted primary
]);

/** Whether the database could not be reached, so that the same call may succeed later. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof Error && "code" in error && CONNECTION_CODES.has(String(error.code));
}

/** Whether PostgreSQL has given up because the statement took longer than its limit. */
export function isTimedOut(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === "57014";
}

/** Whether PostgreSQL ended the transaction to let another one pass, so that it can run again at once. */
export function isSerializationFailure(error: unknown): boolean {
  return error instanceof postgres.PostgresError && (error.code === "40001" || error.code === "40P01");
}

/** The name of the unique or check constraint that refused a row, or undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof postgres.PostgresError)) return undefined;
  return error.code === "23505" || error.code === "23514" ? error.constraint_name : undefined;
}

/**
 * An error as it may be logged or stored. PostgreSQL quotes values in messages and details ("Key (email)=(…)
 * already exists"), so of its errors only the code and the names of things are told.
 */
export function describeError(error: unknown): string {
  if (error instanceof postgres.PostgresError) {
    const where = error.constraint_name ?? error.table_name ?? error.routine ?? "";
    return `PostgreSQL ${error.code} ${where}`.trimEnd();
  }
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
