/** Schemas of a shopper group in the REST API. */
import { shopperGroup } from "../../domain/shopper_group.ts";
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

export const NewGroupSchema = shopperGroup.meta({ id: "NewGroup" });

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
