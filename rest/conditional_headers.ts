/** Conditional headers (If-Match, If-None-Match, ETag) and the Idempotency-Key header. */
import { readIdempotencyKey } from "../actors/runtime/idempotency.ts";
import type { CommandContext } from "../actors/runtime/protocol.ts";
import { type ApiContext, z } from "./api.ts";

/** Request headers of a change to a versioned resource. */
export const changeHeaders = z.object({
  "if-match": z.string().optional().meta({
    description:
      'The ETag of the version to change: `"7"`. If the resource has another version, it is a CONFLICT. A list matches if ' +
      'one of its ETags does. As RFC 9110 demands, a weak ETag (`W/"7"`) never matches: a proxy that compresses ' +
      "responses must not weaken their ETags.",
    example: "*",
  }),
  "idempotency-key": z.string().optional().meta({
    description: "A request that is repeated with the same key within a day is applied once.",
    pattern: "^[ -~]{1,255}$",
  }),
});

/** Request headers of the creation of a resource. */
export const creationHeaders = changeHeaders.pick({ "idempotency-key": true });

/** Request headers of a read of a versioned resource. */
export const readHeaders = z.object({
  "if-none-match": z.string().optional().meta({
    description: "The ETag that the caller has. At that version the response is 304 without a body.",
    example: '"7"',
  }),
});

/** Response headers of a versioned resource. */
export const versioned = {
  headers: z.object({ etag: z.string().meta({ description: "The version", example: '"7"' }) }),
};

export const etag = (version: number): string => `"${version}"`;

/**
 * Reads the caller and the conditions of a change.
 *
 * @throws {DomainError} INVALID_INPUT
 */
export function commandContext(c: ApiContext): CommandContext {
  return {
    by: c.var.by,
    traceparent: c.var.traceparent,
    wanted: isClientWaiting(c),
    expectedVersion: expectedVersions(c.req.header("if-match")),
    idempotencyKey: readIdempotencyKey(c.req.header("idempotency-key")),
  };
}

/** Returns a predicate: does the client still wait for the response? */
export function isClientWaiting(c: ApiContext): () => boolean {
  return () => !c.req.raw.signal.aborted;
}

/** Returns true if If-None-Match names this version, so that the response is 304. Weak ETags match, as RFC 9110 demands. */
export function isNotModified(c: ApiContext, version: number): boolean {
  const header = c.req.header("if-none-match");
  return header !== undefined &&
    (header.trim() === "*" || tagsOf(header).some(({ tag }) => tag === String(version)));
}

/** Returns the versions that If-Match allows; undefined if it allows all. ETags of other forms match none. */
function expectedVersions(header: string | undefined): readonly number[] | undefined {
  if (header === undefined || header.trim() === "*") return undefined;
  const versions = tagsOf(header).filter(({ isWeak, tag }) => !isWeak && VERSION.test(tag));
  return versions.map(({ tag }) => Number(tag));
}

const VERSION = /^(0|[1-9]\d{0,9})$/;

/** Reads a list of ETags: RFC 9110, section 8.8.3. */
function tagsOf(header: string): { isWeak: boolean; tag: string }[] {
  return [...header.matchAll(/(W\/)?"([^"]*)"/g)].map(([, weak, tag]) => ({
    isWeak: weak !== undefined,
    tag: tag!,
  }));
}
