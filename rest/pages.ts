/** Lists that come page by page: how many at a time, and where the next page begins. */
import { DomainError } from "../domain/errors.ts";
import { z } from "./api.ts";

export const PAGE_LIMIT = 100;

/** The part of a list's query that says which page. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(PAGE_LIMIT).default(50).meta({
    description: "How many at most",
  }),
  cursor: z.string().max(500).optional().meta({
    description: "The `nextCursor` of the page before. Without it, the first page.",
  }),
};

/** A page of items. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: "Null on the last page" }),
  });
}

/**
 * @param rows of the page, and one more when there are more
 * @param positionOf what the next page has to lie behind
 */
export function pageBody<Row, Item>(
  rows: readonly Row[],
  limit: number,
  bodyOf: (row: Row) => Item,
  positionOf: (last: Row) => unknown,
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: shown.map(bodyOf), nextCursor: more ? writeCursor(positionOf(last)) : null };
}

const BASE64 = { alphabet: "base64url", omitPadding: true } as const;

function writeCursor(position: unknown): string {
  return new TextEncoder().encode(JSON.stringify(position)).toBase64(BASE64);
}

/** @throws {DomainError} INVALID_INPUT: it is not a cursor of this list */
export function readCursor<Position>(
  schema: z.ZodType<Position>,
  cursor: string | undefined,
): Position | undefined {
  if (cursor === undefined) return undefined;
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new DomainError("INVALID_INPUT", "Cannot take the cursor: it is none of this list's", { cause });
  }
}
