/** What PostgreSQL's failures mean, and how to tell of them without the values that they quote. */
import postgres from "postgres";

/** Something waits for the database that need not or must not wait any longer; the message says what. */
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

const BUSY = new Set([
  "OVERLOADED",
  "55P03", // lock_not_available: lock_timeout
  "57014", // query_canceled: statement_timeout
  "25P03", // idle_in_transaction_session_timeout
]);

/** Why the database cannot serve, when the same call may succeed later: completes "The database …". */
export function unavailability(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (AWAY.has(code)) return "cannot be reached";
  return BUSY.has(code) ? "has too much to do" : undefined;
}

export function isUnavailable(error: unknown): boolean {
  return unavailability(error) !== undefined;
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

const OF_THE_ENGINE = [TypeError, SyntaxError, RangeError, URIError];
const QUOTED = /(['"`]).*['"`]/s;

/**
 * An error as it may be logged or stored. PostgreSQL quotes values in messages and details ("Key (email)=(…)
 * already exists"), so of its errors only the code and the names of things are told. The engine quotes what it was
 * given ("Invalid URL: '…'"), so of its errors the place is told instead.
 */
export function describeError(error: unknown): string {
  if (error instanceof postgres.PostgresError) {
    const where = error.constraint_name ?? error.table_name ?? error.routine ?? "";
    return `PostgreSQL ${error.code} ${where}`.trimEnd();
  }
  if (OF_THE_ENGINE.some((kind) => error instanceof kind)) {
    const { name, message, stack = "" } = error as Error;
    const place = placeOf(stack);
    return `${name}: ${message.replace(QUOTED, "$1…$1")}${place === undefined ? "" : ` at ${place}`}`;
  }
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

const FRAME = "    at ";

/** The innermost line of a stack that is ours: the file with its folder, and the line. */
function placeOf(stack: string): string | undefined {
  // The frames are at the end; before them stands the message, which may be long and quote what looks like one.
  const lines = stack.split("\n");
  const frames = lines.slice(lines.findLastIndex((line) => !line.startsWith(FRAME)) + 1);
  for (const frame of frames) {
    const [folder, file = ""] = frame.replace(/\)$/, "").split("/").slice(-2);
    const [, place] = /^([^:]+\.tsx?:\d+):\d+$/.exec(file) ?? [];
    if (frame.includes("file:") && place !== undefined) return `${folder}/${place}`;
  }
}
