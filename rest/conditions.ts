/** The headers that a change rests on: which version the caller has seen, and under which key it may be repeated. */
import { DomainError } from "../domain/errors.ts";
import { readIdempotencyKey } from "../actors/runtime/idempotency.ts";
import type { CommandContext } from "../actors/runtime/protocol.ts";
import { type ApiContext, z } from "./api.ts";

const VERSION_TAG = /^"([1-9]\d{0,9})"$/;

/** The headers of a change to what has a version. */
export const changeHeaders = z.object({
  "if-match": z.string().optional().meta({
    description: 'The ETag of the version that the change rests on: `"7"`. Another one is a CONFLICT.',
    pattern: '^(\\*|"[1-9][0-9]{0,9}")$',
    example: "*",
  }),
  "idempotency-key": z.string().optional().meta({
    description: "Repeated within a day, the change is made once.",
    pattern: "^[ -~]{1,255}$",
  }),
});

/** The headers of what makes something new. */
export const creationHeaders = changeHeaders.pick({ "idempotency-key": true });

/** The headers of a reading of what has a version. */
export const readHeaders = z.object({
  "if-none-match": z.string().optional().meta({
    description: "The ETag that the caller has: at that version the answer is 304, without a body.",
    example: '"7"',
  }),
});

/** The header of every answer that has a version. */
export const versioned = {
  headers: z.object({ etag: z.string().meta({ description: "The version", example: '"7"' }) }),
};

export const etag = (version: number): string => `"${version}"`;

/**
 * On whose behalf a change comes, and on which conditions.
 *
 * @throws {DomainError} INVALID_INPUT
 */
export function commandContext(c: ApiContext): CommandContext {
  return {
    by: c.var.by,
    traceparent: c.var.traceparent,
    wanted: isWanted(c),
    expectedVersion: expectedVersion(c.req.header("if-match")),
    idempotencyKey: readIdempotencyKey(c.req.header("idempotency-key")),
  };
}

/** Tells whether the caller still waits for the answer. */
export function isWanted(c: ApiContext): () => boolean {
  return () => !c.req.raw.signal.aborted;
}

/** Whether the caller has this version already, so that 304 says it all. */
export function isKnown(c: ApiContext, version: number): boolean {
  const tags = c.req.header("if-none-match")?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags?.some((tag) => tag === "*" || tag === etag(version)) ?? false;
}

function expectedVersion(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === "*") return undefined;
  const [, version] = header.trim().match(VERSION_TAG) ?? [];
  if (version) return Number(version);
  throw new DomainError("INVALID_INPUT", 'Cannot take the If-Match header: it must be one ETag such as "7"');
}
