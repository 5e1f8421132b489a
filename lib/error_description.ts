/** Error descriptions for the log and for storage, without the values that messages quote. */
import postgres from "postgres";
import { z } from "zod";

const OF_THE_ENGINE = [TypeError, SyntaxError, RangeError, URIError, ReferenceError, EvalError];
/** The quoted part of an engine's message: between its first and last quotation mark, or after a colon. */
const QUOTED = /(['"`]).*['"`]/s;
const SPECIFIED = /: .*/s;
/** SyntaxError of BigInt(), which quotes without quotation marks. */
const CONVERTED = /^Cannot convert .* to a BigInt$/s;

/** Characters of a description. */
const MAX_LENGTH = 500;
/** Errors of an AggregateError that are described. */
const DESCRIBED = 3;

/**
 * Describes an error for the log and for storage, without personal values and in at most 500 characters.
 *
 * - PostgreSQL quotes values in messages and details ("Key (email)=(…) already exists"): code and names only.
 * - The engine quotes its input ("Invalid URL: '…'"): the message up to the quotation, and the place.
 * - Plain errors of packages may contain anything: the place only. Our own errors, and errors with a code or a class,
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

/** Type of a thrown value. Its text or its fields may be personal. */
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

/** Errors come from other code: their fields may throw or have wrong types. */
function readSafely(error: unknown, read: (error: unknown) => string): string {
  try {
    return read(error);
  } catch {
    return "An error that cannot be read";
  }
}

function shortened(text: string): string {
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH - 1)}…`;
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

/** The innermost line of our code, or else the innermost one of a package. */
function placeOf(error: Error): string | undefined {
  const frames = [...framesOf(error)];
  return (frames.find(({ isOurs }) => isOurs) ?? frames[0])?.place;
}

function innermostOf(error: Error): Frame | undefined {
  return framesOf(error).next().value ?? undefined;
}

/** The frames of files, the innermost one first. */
function* framesOf({ message, stack = "" }: Error): Generator<Frame, undefined> {
  // The message precedes the frames. It may be long and contain text that looks like one.
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
