/** Pages of GDPR requests as Relay connections. */
import { z } from "zod";
import { parseInput, uuid } from "../domain/input.ts";
import type { SubjectRequest } from "../db/gdpr_lookups.ts";

/** Largest page. */
const PAGE = 50;

/** Arguments of a connection, as its field declares them. */
export interface PageArguments {
  first: number;
  after?: string | null;
}

/** A cursor is the ID of a request. */
const page = z.object({ first: z.int().min(1).max(PAGE), after: uuid.nullish() });

/** @throws {DomainError} INVALID_INPUT */
export function parsePage(given: PageArguments): { first: number; after: string | undefined } {
  const { first, after } = parseInput(page, given, "list GDPR requests");
  return { first, after: after ?? undefined };
}

/** @param found the requests of the page, and one more if there is a next page */
export function connectionOf(
  found: readonly SubjectRequest[],
  { first, after }: { first: number; after: string | undefined },
) {
  const nodes = found.slice(0, first);
  return {
    nodes,
    edges: nodes.map((node) => ({ cursor: node.requestId, node })),
    pageInfo: {
      hasNextPage: found.length > first,
      hasPreviousPage: after !== undefined,
      startCursor: nodes.at(0)?.requestId ?? null,
      endCursor: nodes.at(-1)?.requestId ?? null,
    },
  };
}

export type RequestConnection = ReturnType<typeof connectionOf>;
