/** Query parameters of the list of groups. */
import { z } from "zod";
import { parseInput, uuid } from "../../domain/input.ts";
import type { InspectContext } from "../session.ts";

export interface GroupsQuery {
  /** Whether deleted groups are listed instead of existing ones. */
  deleted: boolean;
  /** Last group of the previous page. */
  after?: string | undefined;
}

const Query = z.object({ deleted: z.literal("yes").optional(), after: uuid.optional() });

/** @throws {DomainError} INVALID_INPUT */
export function readGroupsQuery(c: InspectContext): GroupsQuery {
  const { deleted, after } = parseInput(Query, c.req.query(), "list the groups");
  return { deleted: deleted === "yes", after };
}

export function toGroupsSearch({ deleted, after }: GroupsQuery): string {
  const search = new URLSearchParams({ ...(deleted && { deleted: "yes" }), ...(after && { after }) });
  return search.size === 0 ? "" : `?${search}`;
}
