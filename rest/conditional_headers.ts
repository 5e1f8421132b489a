/** Conditional headers (If-Match, If-None-Match, ETag) and the Idempotency-Key header. */
import { DomainError } from "../domain/errors.ts";
import { readIdempotencyKey } from "../actors/runtime/idempotency.ts";
import type { CommandContext } from "../actors/runtime/protocol.ts";
import { type ApiContext, z } from "./api.ts";

const VERSION_TAG = /^"([1-9]\d{0,9})"$/;

/** Request headers of a change to a versioned resource. */
export const changeHeaders = z.object({
  "if-match": z.string().optional().meta({
    description:
      'The ETag of the version to change: `"7"`. If the resource has another version, it is a CONFLICT.',
    pattern: '^(\\*|"[1-9][0-9]{0,9}")$',
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
    expectedVersion: expectedVersion(c.req.header("if-match")),
    idempotencyKey: readIdempotencyKey(c.req.header("idempotency-key")),
  };
}

/** Returns a predicate: does the client still wait for the response? */
export function isClientWaiting(c: ApiContext): () => boolean {
  return () => !c.req.raw.signal.aborted;
}

/** Returns true if If-None-Match names this version, so that the response is 304. */
export function isNotModified(c: ApiContext, version: number): boolean {
  const tags = c.req.header("if-none-match")?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags?.some((tag) => tag === "*" || tag === etag(version)) ?? false;
}

function expectedVersion(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === "*") return undefined;
  const [, version] = header.trim().match(VERSION_TAG) ?? [];
  if (version) return Number(version);
  throw new DomainError(
    "INVALID_INPUT",
    'Cannot accept the If-Match header: it must be one ETag such as "7"',
  );
}
