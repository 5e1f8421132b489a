/** Makes a shopper group, shows it, changes it, deletes it. */
import { DomainError } from "../../domain/errors.ts";
import { uuid } from "../../domain/input.ts";
import { readStore, type Sql } from "../../db/connect.ts";
import { findShopperGroup, type ShopperGroup } from "../../db/shopper_groups.ts";
import { allow, type Api, createRoute, json, refusals, z } from "../api.ts";
import {
  changeHeaders,
  commandContext,
  creationHeaders,
  etag,
  isKnown,
  readHeaders,
  versioned,
} from "../conditions.ts";
import type { RestOptions } from "../options.ts";
import { bodyOf, GroupChangesSchema, GroupSchema, NewGroupSchema } from "./group.ts";

export const groupPath = z.object({ groupId: uuid });

const tags = ["Groups"];
const mayWrite = allow("change groups", "CUSTOMER_MANAGER");

const create = createRoute({
  operationId: "createGroup",
  method: "post",
  path: "/groups",
  summary: "Makes a group",
  tags,
  middleware: mayWrite,
  request: {
    headers: creationHeaders,
    body: { required: true, content: { "application/json": { schema: NewGroupSchema } } },
  },
  responses: {
    201: { ...json("Made", GroupSchema), headers: versioned.headers.extend({ location: z.string() }) },
    ...refusals("ALREADY_EXISTS"),
  },
});

const show = createRoute({
  operationId: "getGroup",
  method: "get",
  path: "/groups/{groupId}",
  summary: "Shows a group, a deleted one too",
  tags,
  middleware: allow("read groups", "CUSTOMER_SUPPORT", "CUSTOMER_MANAGER"),
  request: { params: groupPath, headers: readHeaders },
  responses: {
    200: { ...json("The group", GroupSchema), ...versioned },
    304: { description: "The group is at the version that If-None-Match names" },
    ...refusals("NOT_FOUND"),
  },
});

const change = createRoute({
  operationId: "updateGroup",
  method: "patch",
  path: "/groups/{groupId}",
  summary: "Changes a group; its members' prices follow at once",
  tags,
  middleware: mayWrite,
  request: {
    params: groupPath,
    headers: changeHeaders,
    body: { required: true, content: { "application/json": { schema: GroupChangesSchema } } },
  },
  responses: {
    200: { ...json("The group as it is now", GroupSchema), ...versioned },
    ...refusals("NOT_FOUND", "ALREADY_EXISTS", "REFUSED_IN_STATE", "CONFLICT"),
  },
});

const remove = createRoute({
  operationId: "deleteGroup",
  method: "delete",
  path: "/groups/{groupId}",
  summary: "Deletes a group",
  description:
    "From the answer on it decides no price, and its name is free. It stays on record; its memberships end " +
    "soon after, each with its event customer.group_removed.",
  tags,
  middleware: mayWrite,
  request: { params: groupPath, headers: changeHeaders },
  responses: {
    200: { ...json("The group as it stays on record", GroupSchema), ...versioned },
    ...refusals("NOT_FOUND", "REFUSED_IN_STATE", "CONFLICT"),
  },
});

export function addGroupRoutes(api: Api, { actors, sql }: RestOptions): void {
  const read = (storeId: string, groupId: string) =>
    readStore(sql, storeId, (sql) => findGroup(sql, storeId, groupId));

  api.openapi(create, async (c) => {
    const context = commandContext(c);
    const { storeId } = context.by;
    const command = { ...c.req.valid("json"), type: "group.create" as const };
    const { id } = await actors.send({ kind: "shopper_group", storeId }, command, context);
    const group = await read(storeId, id);
    return c.json(bodyOf(group), 201, { etag: etag(group.version), location: `/groups/${id}` });
  });

  api.openapi(show, async (c) => {
    const { groupId } = c.req.valid("param");
    const group = await read(c.var.by.storeId, groupId);
    const headers = { etag: etag(group.version) };
    if (isKnown(c, group.version)) return c.body(null, 304, headers);
    return c.json(bodyOf(group), 200, headers);
  });

  api.openapi(change, async (c) => {
    const { groupId } = c.req.valid("param");
    const context = commandContext(c);
    const { storeId } = context.by;
    const command = { ...c.req.valid("json"), type: "group.update" as const };
    await actors.send({ kind: "shopper_group", storeId, id: groupId }, command, context);
    const group = await read(storeId, groupId);
    return c.json(bodyOf(group), 200, { etag: etag(group.version) });
  });

  api.openapi(remove, async (c) => {
    const { groupId } = c.req.valid("param");
    const context = commandContext(c);
    const { storeId } = context.by;
    await actors.send({ kind: "shopper_group", storeId, id: groupId }, { type: "group.delete" }, context);
    const group = await read(storeId, groupId);
    return c.json(bodyOf(group), 200, { etag: etag(group.version) });
  });
}

/** @throws {DomainError} NOT_FOUND */
export async function findGroup(sql: Sql, storeId: string, groupId: string): Promise<ShopperGroup> {
  const group = await findShopperGroup(sql, storeId, groupId);
  if (!group) throw new DomainError("NOT_FOUND", `Cannot find group ${groupId}`);
  return group;
}
