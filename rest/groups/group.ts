/** A shopper group as the REST API shows and takes it. */
import { text, uuid } from "../../domain/input.ts";
import type { ShopperGroup } from "../../db/shopper_groups.ts";
import { z } from "../api.ts";

export const GroupSchema = z.object({
  groupId: z.uuid(),
  name: z.string(),
  priceListId: z.uuid(),
  priority: z.int(),
  version: z.int().meta({ description: "Rises with every change; also the ETag" }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  deletedAt: z.iso.datetime().nullable().meta({
    description: "From then on the group decides no price; its memberships end soon after",
  }),
}).meta({ id: "Group" });

export const NewGroupSchema = z.strictObject({
  name: text(100).meta({ description: "No other group of the store has it", example: "Gold" }),
  priceListId: uuid.meta({ description: "A price list of catalog-service" }),
  priority: z.int32().meta({ description: "Of a customer's groups the one with the highest decides" }),
}).meta({ id: "NewGroup" });

export const GroupChangesSchema = NewGroupSchema.partial().meta({
  id: "GroupChanges",
  description: "What is absent stays as it is.",
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
