/** Schema of a customer's membership in a group in the REST API. */
import type { Membership } from "../../db/lookups.ts";
import { z } from "../api.ts";

export const MembershipSchema = z.object({
  groupId: z.uuid(),
  name: z.string(),
  priceListId: z.uuid(),
  priority: z.int().meta({ format: "int32" }),
  assignedAt: z.iso.datetime(),
}).meta({ id: "Membership" });

export function bodyOf(
  { groupId, name, priceListId, priority, assignedAt }: Membership,
): z.output<typeof MembershipSchema> {
  return { groupId, name, priceListId, priority, assignedAt: new Date(assignedAt).toISOString() };
}
