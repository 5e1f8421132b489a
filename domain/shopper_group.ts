/** Shopper group: the one definition of its fields. The commands and the edges derive their schemas from it. */
import { z } from "zod";
import { freeText } from "./free_text.ts";
import { uuid } from "./input.ts";

export const shopperGroup = z.strictObject({
  name: freeText(100).meta({ description: "Unique among the groups of the store", example: "Gold" }),
  priceListId: uuid.meta({ description: "A price list of catalog-service" }),
  priority: z.int32().meta({
    type: "integer",
    format: "int32",
    description: "The group with the highest priority decides the price list of a customer",
  }),
});

export type GroupField = keyof typeof shopperGroup.shape;

/** Names for people, in the order in which they are shown. */
export const GROUP_LABELS: Readonly<Record<GroupField, string>> = {
  name: "Name",
  priceListId: "Price list",
  priority: "Priority",
};
