/** Schemas of a shopper group in the REST API. */
import { text, uuid } from "../../domain/input.ts";
import type { ShopperGroup } from "../../db/shopper_groups.ts";
import { z } from "../api.ts";
import { changesOf } from "../changes_schema.ts";

export const GroupSchema = z.object({
  groupId: z.uuid(),
  name: z.string(),
  priceListId: z.uuid(),
  priority: z.int().meta({ format: "int32" }),
  version: z.int().meta({ format: "int32", description: "Increases with every change; also the ETag" }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  deletedAt: z.iso.datetime().nullable().meta({
    description: "From this time on the group decides no prices. Its memberships end shortly after",
  }),
}).meta({ id: "Group" });

export const NewGroupSchema = z.strictObject({
  name: text(100).meta({ description: "Unique among the groups of the store", example: "Gold" }),
  priceListId: uuid.meta({ description: "A price list of catalog-service" }),
  priority: z.int32().meta({
    type: "integer",
    format: "int32",
    description: "The group with the highest priority decides the price list of a customer",
  }),
}).meta({ id: "NewGroup" });

export const GroupChangesSchema = changesOf(NewGroupSchema.partial()).meta({
  id: "GroupChanges",
  description: "Absent fields remain unchanged.",
});

export function bodyOf(group: ShopperGroup): z.output<typeof GroupSchema> {
  const { groupId, name, priceListId, priority, version, createdAt, updatedAt, deletedAt } = group;
  return {
    groupId,
    name,
    priceListId,
    priority,
    version,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
    deletedAt: deletedAt?.toISOString() ?? null,
  };
}
