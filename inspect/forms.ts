/** Receives forms: no more of one than our pages send, and only from who may send it. */
import type { Context } from "@hono/hono";
import { HTTPException } from "@hono/hono/http-exception";
import type { BodyReader } from "../http/body_reader.ts";
import { BodyError } from "../http/body_error.ts";

const KIB = 1_024;
/** Bytes by path: a token that a cookie holds, and 500 requests with what each is stuck with. */
const MOST: Readonly<Record<string, number>> = { "/inspect/sign-in": 8 * KIB, "/inspect/retry": 1_024 * KIB };
/** A decision with its reason, however it is encoded. */
const MOST_ELSEWHERE = 100 * KIB;

const SHORT = 16 * KIB;

/**
 * Reads the form of a POST, which then is in memory.
 *
 * @param holder names the person whose form it is; the address stands for a person who is not signed in
 * @throws {HTTPException} 413: too large, 408: too slow, 415: unknown content encoding, 400: not readable
 * @throws {DomainError} UNAVAILABLE
 */
export async function receiveForm(c: Context, bodies: BodyReader, holder?: string): Promise<void> {
  const maxBytes = MOST[c.req.path] ?? MOST_ELSEWHERE;
  try {
    await bodies.receive(c, holder === undefined ? { maxBytes } : { maxBytes, holder });
  } catch (error) {
    if (!(error instanceof BodyError) || error.fault === "evicted") throw error;
    const status = error.fault === "too_slow" ? 408 : error.status;
    const reason = error.fault === "too_large" ? `has more than ${maxBytes / KIB} KiB` : error.reason;
    throw new HTTPException(status, {
      message: `Cannot take the form: it ${reason}. Nothing has been done.`,
    });
  }
}

/** A form that says that it is short, as browsers do of a decision with its reason: worth giving back to a stranger. */
export function isShort(c: Context): boolean {
  return Number(c.req.header("content-length") ?? Infinity) <= SHORT;
}

/** What somebody has written into a field, as one line; empty where there is no such field. */
export function lineOf(field: unknown): string {
  return String(field ?? "").replaceAll(/\s+/g, " ").trim();
}
