/** Form bodies with a size limit for each path. */
import type { Context } from "@hono/hono";
import { HTTPException } from "@hono/hono/http-exception";
import type { BodyReader } from "../http/body_reader.ts";
import { BodyError } from "../http/body_error.ts";
import { STATUSES } from "../http/statuses.ts";
import { asDomainError } from "../db/errors.ts";
import { DomainError, type FieldError } from "../domain/errors.ts";

const KIB = 1_024;
/** Size limits in bytes by path: a token that fits into a cookie, and 500 requests with their stuck services. */
const MAX_BYTES: Readonly<Record<string, number>> = {
  "/inspect/sign-in": 8 * KIB,
  "/inspect/retry": 1_024 * KIB,
};
/** Size limit of all other forms, in bytes: a decision with its reason in any encoding. */
const DEFAULT_MAX_BYTES = 100 * KIB;

/** Size in bytes up to which a form is read without authentication. */
const SHORT_BYTES = 16 * KIB;

/**
 * Reads the body of a form into memory.
 *
 * @param holder ID of the authenticated sender; without it, the limits apply to the client's IP address
 * @throws {HTTPException} 413: too large; 408: too slow; 415: unknown content encoding; 400: malformed
 * @throws {DomainError} UNAVAILABLE
 */
export async function receiveForm(c: Context, bodies: BodyReader, holder?: string): Promise<void> {
  const maxBytes = MAX_BYTES[c.req.path] ?? DEFAULT_MAX_BYTES;
  try {
    await bodies.receive(c, holder === undefined ? { maxBytes } : { maxBytes, holder });
  } catch (error) {
    if (!(error instanceof BodyError) || error.fault === "evicted") throw error;
    const status = error.fault === "too_slow" ? 408 : error.status;
    const reason = error.fault === "too_large" ? `has more than ${maxBytes / KIB} KiB` : error.reason;
    throw new HTTPException(status, {
      message: `Cannot accept the form: it ${reason}. Nothing was changed.`,
    });
  }
}

/** Whether the declared size is small enough to read the form of a client that is not authenticated. */
export function isShort(c: Context): boolean {
  return Number(c.req.header("content-length") ?? Infinity) <= SHORT_BYTES;
}

/** Value of a form field as one line; empty if the field is missing. */
export function singleLine(field: unknown): string {
  return String(field ?? "").replaceAll(/\s+/g, " ").trim();
}

/** The error of a form that no page of the inspector has sent. */
export function foreignForm(cause?: unknown): DomainError {
  return new DomainError(
    "INVALID_INPUT",
    "Cannot accept the form: it does not belong to this page",
    ...(cause === undefined ? [] : [{ cause }]),
  );
}

/**
 * What the page shows above a refused form, which stays filled in.
 *
 * @param codes errors that the page shows; every other one is thrown again and has its own page
 */
export function shownRefusal<Code extends keyof typeof STATUSES>(
  error: unknown,
  codes: readonly Code[],
): { code: Code; status: (typeof STATUSES)[Code]; message: string; fields: readonly FieldError[] } {
  const expected = asDomainError(error);
  const code = codes.find((code) => code === expected?.code);
  if (!expected || !code) throw error;
  return { code, status: STATUSES[code], message: `${expected.message}.`, fields: expected.fields };
}
