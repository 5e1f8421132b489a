/** Classification of PostgreSQL's errors. */
import postgres from "postgres";
import { DomainError } from "../domain/errors.ts";

/** Overload: a wait for the database was refused or has timed out; the message names the limit. */
export class Overloaded extends Error {
  override name = "Overloaded";
  readonly code = "OVERLOADED";
}

/**
 * The server accepts no changes: a standby, or one that is set to read-only. Pools refuse such sessions; a pooler may
 * change the server below a session.
 */
export class ReadOnlyServer extends Error {
  override name = "ReadOnlyServer";
  readonly code = "WRONG_SESSION";
}

/** Conditions under which the same call may succeed later; each completes "The database …". */
const AWAY = "cannot be reached";
const READ_ONLY = "accepts no changes at the moment";
const BUSY = "has too much to do";
const FULL = "has no resources left";
const NO_DESCRIPTORS = "cannot be reached: this replica has no file descriptors left";

/**
 * Conditions by code: of the operating system, of the driver, and SQLSTATEs, whole ones before their class (the first
 * two characters). Any other SQLSTATE is an unexpected error, unless it ends the session.
 */
const CONDITIONS: Readonly<Record<string, string>> = {
  EAI_AGAIN: AWAY, // a host name that does not resolve
  ECONNREFUSED: AWAY,
  ECONNRESET: AWAY,
  EHOSTUNREACH: AWAY,
  EMFILE: NO_DESCRIPTORS,
  ENETUNREACH: AWAY,
  ENFILE: NO_DESCRIPTORS,
  ENOENT: AWAY, // a Unix socket that does not exist
  ENOTFOUND: AWAY,
  EPIPE: AWAY,
  ETIMEDOUT: AWAY,
  CONNECTION_CLOSED: AWAY,
  CONNECTION_DESTROYED: AWAY,
  CONNECTION_ENDED: AWAY,
  CONNECT_TIMEOUT: AWAY,
  WRONG_SESSION: READ_ONLY, // a standby, or a server that is set to read-only
  OVERLOADED: BUSY,
  "08": AWAY, // connection exceptions, also of a pooler or between the nodes of a cluster
  "25006": READ_ONLY, // read_only_sql_transaction
  "25P03": BUSY, // idle_in_transaction_session_timeout
  "25P04": BUSY, // transaction_timeout
  "40000": BUSY, // transaction_rollback
  "40001": BUSY, // serialization_failure
  "40003": AWAY, // statement_completion_unknown
  "40P01": BUSY, // deadlock_detected
  "53": FULL, // insufficient resources: disk, memory, configured limits
  "53300": AWAY, // too_many_connections
  "55006": BUSY, // object_in_use: being created, dropped or restored
  "55P03": BUSY, // lock_not_available: lock_timeout
  "57": AWAY, // operator intervention: shutdown, crash, start, a dropped database, an idle session
  "57014": BUSY, // query_canceled: statement_timeout
  "58000": AWAY, // system_error
  "58030": AWAY, // io_error
  "72000": BUSY, // snapshot_too_old
};

/** Returns why the database cannot serve, when the same call may succeed later: completes "The database …". */
export function unavailability(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return conditionOf(error) ?? (error instanceof postgres.PostgresError ? endedSession(error) : undefined);
}

function conditionOf(error: Error & { code: unknown }): string | undefined {
  const code = String(error.code);
  const isSqlState = error instanceof postgres.PostgresError;
  return CONDITIONS[code] ?? (isSqlState ? CONDITIONS[code.slice(0, 2)] : undefined);
}

/**
 * Returns whether a start may wait for the end of the condition. A server or pooler that refuses the login, the database
 * or the settings is not waited for: someone has to correct them.
 */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error) || error.code === "08P01") return false;
  return conditionOf(error) !== undefined;
}

/** PostgreSQL ends or refuses a session: the password has changed, the database is being restored. */
function endedSession({ severity }: postgres.PostgresError): string | undefined {
  return severity === "FATAL" || severity === "PANIC" ? AWAY : undefined;
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

/** Returns whether the server has refused a change because a disk is full or fails, or its memory is used up. */
export function isFull(error: unknown): boolean {
  return error instanceof postgres.PostgresError &&
    (unavailability(error) === FULL || error.code === "58030");
}

export function isUnavailable(error: unknown): boolean {
  return unavailability(error) !== undefined;
}

/** Returns whether PostgreSQL canceled the statement because of its timeout. */
export function isTimedOut(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === "57014";
}

/**
 * Returns whether PostgreSQL aborted the transaction for a concurrent one or for a concurrent migration, so that the
 * same transaction may succeed when it runs again.
 */
export function isSerializationFailure(error: unknown): boolean {
  if (!(error instanceof postgres.PostgresError)) return false;
  const { code, routine } = error;
  // A migration has changed the result of a prepared statement; the driver has forgotten the statement.
  if (code === "0A000") return routine === "RevalidateCachedQuery";
  return code === "40001" || code === "40P01";
}

/** Returns the name of the unique or check constraint that refused a row, or undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof postgres.PostgresError)) return undefined;
  if (error.code !== "23505" && error.code !== "23514") return undefined;
  return error.constraint_name ?? constraintOfShard(error.message);
}

/** Returns the name that an error of a Citus worker has in its message only, followed by the number of the shard. */
function constraintOfShard(message: string): string | undefined {
  return message.match(/ constraint "([^"]+)_\d+"$/)?.[1];
}
