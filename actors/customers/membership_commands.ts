/** The customer's commands about its memberships in shopper groups. */
import { z } from "zod";
import {
  deleteMembership,
  holdShopperGroup,
  insertMembership,
  isMember,
} from "../../db/customer_group_memberships.ts";
import { handler } from "../runtime/behavior.ts";
import { DomainError } from "../../domain/errors.ts";
import { uuid } from "../../domain/input.ts";

const reference = z.strictObject({ groupId: uuid });

export const membershipHandlers = {
  "group.assign": handler(
    ["STAFF", "SYSTEM"],
    reference,
    async ({ tx, ref, by, now }, { groupId }) => {
      if (!(await holdShopperGroup(tx, ref.storeId, groupId))) {
        throw new DomainError("NOT_FOUND", `Cannot find shopper group ${groupId}`);
      }
      const wasMember = await isMember(tx, ref.storeId, ref.id, groupId);
      return {
        event: { type: "group.assign", by: by.type, groupId, isMember: wasMember },
        changedFields: wasMember ? [] : ["shopper_groups"],
        write: (tx) =>
          insertMembership(tx, {
            storeId: ref.storeId,
            customerId: ref.id,
            groupId,
            assignedAt: now,
            assignedBy: by.id,
          }),
      };
    },
  ),

  "group.remove": handler(
    ["STAFF", "SYSTEM"],
    reference,
    async ({ tx, ref, by }, { groupId }) => {
      const wasMember = await isMember(tx, ref.storeId, ref.id, groupId);
      return {
        event: { type: "group.remove", by: by.type, groupId },
        changedFields: wasMember ? ["shopper_groups"] : [],
        write: (tx) => deleteMembership(tx, ref.storeId, ref.id, groupId),
      };
    },
  ),
};
