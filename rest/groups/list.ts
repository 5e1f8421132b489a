/** Paginated lists of the groups of a store and of the members of a group. */
import { text, uuid } from "../../domain/input.ts";
import { listMembers, type Member } from "../../db/customer_group_memberships.ts";
import { searchShopperGroups } from "../../db/shopper_groups.ts";
import { allow, answeredOf } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import type { RestOptions } from "../options.ts";
import { pageBody, pageOf, pageQuery, readCursor } from "../pagination.ts";
import { bodyOf, GroupSchema } from "./group.ts";
import { findGroup, groupPath } from "./groups.ts";

const tags = ["Groups"];

const listGroups = createRoute({
  operationId: "listGroups",
  method: "get",
  path: "/groups",
  summary: "Lists the groups of the store in the order of their IDs",
  tags,
  middleware: allow("listGroups"),
  request: {
    query: z.strictObject({
      namePrefix: text(100).optional().meta({
        description: "Beginning of the name, compared without regard to case",
      }),
      deleted: z.enum(["true", "false"]).optional().meta({
        description: "True: only deleted groups. False: only groups that have not been deleted",
      }),
      ...pageQuery,
    }),
  },
  responses: {
    200: json("A page of groups", pageOf(GroupSchema).meta({ id: "GroupPage" })),
    ...refusals(),
  },
});

const MemberSchema = z.object({ customerId: z.uuid(), assignedAt: z.iso.datetime() }).meta({ id: "Member" });

const listGroupMembers = createRoute({
  operationId: "listGroupMembers",
  method: "get",
  path: "/groups/{groupId}/members",
  summary: "Lists the members of a group in the order of their IDs",
  description: "The memberships of a deleted group end one after another.",
  tags,
  middleware: allow("listGroupMembers"),
  request: { params: groupPath, query: z.strictObject(pageQuery) },
  responses: {
    200: json("A page of members", pageOf(MemberSchema).meta({ id: "MemberPage" })),
    ...refusals("NOT_FOUND"),
  },
});

export function addGroupListRoutes(api: Api, { reader }: RestOptions): void {
  api.openapi(listGroups, async (c) => {
    const { namePrefix, deleted, limit, cursor } = c.req.valid("query");
    const filter = { namePrefix, deleted: deleted && deleted === "true" };
    const page = { limit: limit + 1, after: readCursor(uuid, cursor) };
    const { storeId } = c.var.by;
    const rows = await reader.read(storeId, (sql) => searchShopperGroups(sql, storeId, filter, page));
    return c.json(pageBody(rows, limit, bodyOf, ({ groupId }) => groupId), 200);
  });

  api.openapi(listGroupMembers, async (c) => {
    const { groupId } = c.req.valid("param");
    const { limit, cursor } = c.req.valid("query");
    const page = { limit: limit + 1, after: readCursor(uuid, cursor) };
    const { storeId } = c.var.by;
    const rows = await reader.read(storeId, async (sql) => {
      const [, rows] = await Promise.all([
        findGroup(sql, storeId, groupId),
        listMembers(sql, storeId, groupId, page),
      ]);
      return rows;
    });
    const body = pageBody(rows, limit, memberBody, ({ customerId }) => customerId);
    c.set("answered", answeredOf(body.items));
    return c.json(body, 200);
  });
}

function memberBody({ customerId, assignedAt }: Member): z.output<typeof MemberSchema> {
  return { customerId, assignedAt: assignedAt.toISOString() };
}
