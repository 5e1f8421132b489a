/** What PostgreSQL's failures mean, and how to tell of them without the values that they quote. */
import postgres from "postgres";
import { z } from "zod";

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

const OF_THE_ENGINE = [TypeError, SyntaxError, RangeError, URIError, ReferenceError, EvalError];
/** What a message of the engine quotes: all between its first and its last quotation mark, or after a colon. */
const QUOTED = /(['"`]).*['"`]/s;
const SPECIFIED = /: .*/s;
/** SyntaxError of BigInt(), which quotes without quotation marks. */
const CONVERTED = /^Cannot convert .* to a BigInt$/s;

/** Characters of a description. */
const LONGEST = 500;
/** Errors of an AggregateError that are described. */
const DESCRIBED = 3;

/**
 * Describes an error for the log and for storage, without personal values and in at most 500 characters.
 *
 * - PostgreSQL quotes values in messages and details ("Key (email)=(…) already exists"): code and names only.
 * - The engine quotes its input ("Invalid URL: '…'"): the message up to the quotation, and the place.
 * - Plain errors of packages may say anything: the place only. Ours, and those with a code or a class of their own,
 *   have messages without values.
 * - Anything else that was thrown: its type.
 */
export function describeError(error: unknown): string {
  return shortened(readSafely(error, describe));
}

/**
 * Describes an error that no code expected: its class, its code and its place ("TypeError at db/errors.ts:12"). It
 * leaves out the message, because the author of an unexpected error did not write it for the log.
 */
export function describeDefect(error: unknown): string {
  return shortened(readSafely(error, (error) => {
    if (!(error instanceof Error)) return describeThrown(error);
    const code = codeOf(error);
    return withPlace(code === undefined ? nameOf(error) : `${nameOf(error)} ${code}`, error);
  }));
}

function describe(error: unknown): string {
  if (error instanceof postgres.PostgresError) {
    const where = error.constraint_name ?? error.table_name ?? error.routine ?? "";
    return `PostgreSQL ${error.code} ${where}`.trimEnd();
  }
  if (!(error instanceof Error)) return describeThrown(error);
  if (OF_THE_ENGINE.some((kind) => error instanceof kind)) {
    return withPlace(`${nameOf(error)}: ${withoutInput(error.message)}`, error);
  }
  if (error instanceof z.core.$ZodError) {
    return withPlace(
      `${nameOf(error)}: ${[...new Set(error.issues.map(({ code }) => code))].join(", ")}`,
      error,
    );
  }
  if (error instanceof AggregateError) {
    const [...errors] = error.errors;
    const first = errors.slice(0, DESCRIBED).map((error) => readSafely(error, describe));
    return `${nameOf(error)} of ${errors.length}: ${first.join("; ")}`;
  }
  const isPlain = error.name === "Error" && codeOf(error) === undefined;
  if (isPlain && innermostOf(error)?.isOurs !== true) return withPlace("Error", error);
  return `${nameOf(error)}: ${error.message}`;
}

function withoutInput(message: string): string {
  if (CONVERTED.test(message)) return "Cannot convert … to a BigInt";
  return message.replace(QUOTED, "$1…$1").replace(SPECIFIED, ": …");
}

/** A text that was thrown may be personal, and so may the fields of an object. */
function describeThrown(value: unknown): string {
  return `${value === null ? "null" : typeof value} was thrown, which is not an Error`;
}

const NAME = /^\w{1,100}$/;

function nameOf({ name }: Error): string {
  return NAME.test(name) ? name : "Error";
}

/** "ECONNRESET", "40P01". */
function codeOf(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" && NAME.test(error.code) ? error.code : undefined;
}

function withPlace(description: string, error: Error): string {
  const place = placeOf(error);
  return place === undefined ? description : `${description} at ${place}`;
}

/** Errors are objects of others: their fields may throw, or not be of their types. */
function readSafely(error: unknown, read: (error: unknown) => string): string {
  try {
    return read(error);
  } catch {
    return "An error that cannot be read";
  }
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

interface Frame {
  /** Folder, file and line: "db/errors.ts:12". */
  place: string;
  /** Of this service rather than of a package. */
  isOurs: boolean;
}

const FRAME = "    at ";
const LOCATION = /^([^:]+\.[jt]sx?:\d+):\d+$/;
const PACKAGES = ["/node_modules/", "/npm/", "/vendor/"];

/** The innermost line that is ours, or else the innermost one of a package. */
function placeOf(error: Error): string | undefined {
  const frames = [...framesOf(error)];
  return (frames.find(({ isOurs }) => isOurs) ?? frames[0])?.place;
}

function innermostOf(error: Error): Frame | undefined {
  return framesOf(error).next().value ?? undefined;
}

/** The frames of files, the innermost one first. */
function* framesOf({ message, stack = "" }: Error): Generator<Frame, undefined> {
  // The message is before the frames. It may be long, and contain what looks like one.
  const at = stack.indexOf(message);
  const lines = stack.slice(at < 0 ? 0 : at + message.length).split("\n");
  for (const line of lines.slice(lines.findLastIndex((line) => !line.startsWith(FRAME)) + 1)) {
    const [folder, file = ""] = line.replace(/\)$/, "").split("/").slice(-2);
    const [, location] = LOCATION.exec(file) ?? [];
    if (!line.includes("file:") || location === undefined) continue;
    const isOurs = /\.tsx?:/.test(file) && !PACKAGES.some((folder) => line.includes(folder));
    yield { place: `${folder}/${location}`, isOurs };
  }
}
