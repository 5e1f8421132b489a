/** Cursor pagination of lists. */
import { DomainError } from "../domain/errors.ts";
import { z } from "./api.ts";

export const PAGE_LIMIT = 100;

/** Query parameters of a paginated list. */
export const pageQuery = {
  limit: z.string().regex(/^\d+$/, "must be an integer").transform(Number)
    .pipe(z.number().min(1).max(PAGE_LIMIT))
    .default(50)
    .meta({
      type: "integer",
      minimum: 1,
      maximum: PAGE_LIMIT,
      default: 50,
      description: "Maximum number of items on the page",
    }),
  cursor: z.string().max(500).optional().meta({
    description: "The `nextCursor` of the previous page. Without it, the first page is returned.",
  }),
};

/** Schema of a page. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: "Null on the last page" }),
  });
}

/**
 * Creates the body of a page.
 *
 * @param rows rows of the page, and one more if there is a next page
 * @param positionOf returns the position after which the next page begins
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

/** @throws {DomainError} INVALID_INPUT if it is not a cursor of this list */
export function readCursor<Position>(
  schema: z.ZodType<Position>,
  cursor: string | undefined,
): Position | undefined {
  if (cursor === undefined) return undefined;
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new DomainError(
      "INVALID_INPUT",
      "Cannot accept the cursor: it does not belong to this list and filter",
      { cause },
    );
  }
}
