/** Shopper groups: routes to create, read, update and delete a group. */
import { DomainError, hasCode } from "../../domain/errors.ts";
import type { CommandContext } from "../../actors/runtime/protocol.ts";
import { uuid } from "../../domain/input.ts";
import { findShopperGroup, type ShopperGroup } from "../../db/shopper_groups.ts";
import type { ReadSql } from "../../db/store_reader.ts";
import { allow } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import { sendAndRead } from "../changes.ts";
import {
  changeHeaders,
  commandContext,
  creationHeaders,
  etag,
  isNotModified,
  readHeaders,
  versioned,
} from "../conditional_headers.ts";
import type { RestOptions } from "../options.ts";
import { bodyOf, GroupChangesSchema, GroupSchema, NewGroupSchema } from "./group.ts";

export const groupPath = z.object({ groupId: uuid });

const tags = ["Groups"];

const createGroup = createRoute({
  operationId: "createGroup",
  method: "post",
  path: "/groups",
  summary: "Creates a group",
  description:
    "Repeated under its Idempotency-Key after the group was deleted, it returns the deleted group.",
  tags,
  middleware: allow("createGroup"),
  request: {
    headers: creationHeaders,
    body: { required: true, content: { "application/json": { schema: NewGroupSchema } } },
  },
  responses: {
    201: {
      ...json("The new group", GroupSchema),
      headers: versioned.headers.extend({ location: z.string() }),
    },
    ...refusals("ALREADY_EXISTS"),
  },
});

const getGroup = createRoute({
  operationId: "getGroup",
  method: "get",
  path: "/groups/{groupId}",
  summary: "Returns a group, even a deleted one",
  tags,
  middleware: allow("getGroup"),
  request: { params: groupPath, headers: readHeaders },
  responses: {
    200: { ...json("The group", GroupSchema), ...versioned },
    304: { description: "The group is at the version that If-None-Match names" },
    ...refusals("NOT_FOUND"),
  },
});

const updateGroup = createRoute({
  operationId: "updateGroup",
  method: "patch",
  path: "/groups/{groupId}",
  summary: "Updates a group, with immediate effect on its members' prices",
  tags,
  middleware: allow("updateGroup"),
  request: {
    params: groupPath,
    headers: changeHeaders,
    body: { required: true, content: { "application/json": { schema: GroupChangesSchema } } },
  },
  responses: {
    200: { ...json("The updated group", GroupSchema), ...versioned },
    ...refusals("NOT_FOUND", "ALREADY_EXISTS", "REFUSED_IN_STATE", "CONFLICT"),
  },
});

const deleteGroup = createRoute({
  operationId: "deleteGroup",
  method: "delete",
  path: "/groups/{groupId}",
  summary: "Deletes a group",
  description:
    "With the response, the group decides no prices any more, and its name can be used again. Its record remains, " +
    "where GET shows it. Its memberships end shortly after, each with an event customer.group_removed. NOT_FOUND at a " +
    "second DELETE.",
  tags,
  middleware: allow("deleteGroup"),
  request: { params: groupPath, headers: changeHeaders },
  responses: {
    204: { description: "Deleted", ...versioned },
    ...refusals("NOT_FOUND", "CONFLICT"),
  },
});

export function addGroupRoutes(api: Api, { actors, reader }: RestOptions): void {
  const read = (groupId: string, storeId: string) =>
    reader.read(storeId, (sql) => findGroup(sql, storeId, groupId));

  api.openapi(createGroup, async (c) => {
    const ref = { kind: "shopper_group", storeId: c.var.by.storeId } as const;
    const command = { ...c.req.valid("json"), type: "group.create" as const };
    const send = (context: CommandContext) => actors.sendAndRead(ref, command, context);
    const { resource, headers } = await sendAndRead(c, send, read);
    return c.json(bodyOf(resource), 201, { ...headers, location: `/groups/${resource.groupId}` });
  });

  api.openapi(getGroup, async (c) => {
    const { groupId } = c.req.valid("param");
    const group = await read(groupId, c.var.by.storeId);
    const headers = { etag: etag(group.version) };
    if (isNotModified(c, group.version)) return c.body(null, 304, headers);
    return c.json(bodyOf(group), 200, headers);
  });

  api.openapi(updateGroup, async (c) => {
    const { groupId } = c.req.valid("param");
    const ref = { kind: "shopper_group", storeId: c.var.by.storeId, id: groupId } as const;
    const command = { ...c.req.valid("json"), type: "group.update" as const };
    const send = (context: CommandContext) => actors.sendAndRead(ref, command, context);
    const { resource, headers } = await sendAndRead(c, send, read);
    return c.json(bodyOf(resource), 200, headers);
  });

  api.openapi(deleteGroup, async (c) => {
    const { groupId } = c.req.valid("param");
    const ref = { kind: "shopper_group", storeId: c.var.by.storeId, id: groupId } as const;
    const { version } = await actors.send(ref, { type: "group.delete" }, commandContext(c)).catch((cause) => {
      if (!hasCode(cause, "REFUSED_IN_STATE")) throw cause;
      throw new DomainError("NOT_FOUND", `Cannot delete group ${groupId}: it has been deleted`, { cause });
    });
    return c.body(null, 204, { etag: etag(version) });
  });
}

/** @throws {DomainError} NOT_FOUND */
export async function findGroup(sql: ReadSql, storeId: string, groupId: string): Promise<ShopperGroup> {
  const group = await findShopperGroup(sql, storeId, groupId);
  if (!group) throw new DomainError("NOT_FOUND", `Cannot find group ${groupId}`);
  return group;
}
