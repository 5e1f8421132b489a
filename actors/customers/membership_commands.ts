/** The customer's commands about its memberships in shopper groups. */
import { z } from "zod";
import { handler } from "../runtime/behavior.ts";
import { DomainError } from "../../domain/errors.ts";
import { uuid } from "../../domain/input.ts";

const reference = z.strictObject({ groupId: uuid });

export const membershipHandlers = {
  "group.assign": handler(
    ["STAFF", "SYSTEM"],
    reference,
    ({ ref, by, now, facts: { isOpenGroup, isMember: wasMember } }, { groupId }) => {
      if (!isOpenGroup) throw new DomainError("NOT_FOUND", `Cannot find shopper group ${groupId}`);
      return {
        event: { type: "group.assign", by: by.type, groupId, isMember: wasMember },
        changedFields: wasMember ? [] : ["shopper_groups"],
        rows: {
          openGroupId: groupId,
          newMembership: { customerId: ref.id, groupId, assignedAt: now, assignedBy: by.id },
        },
      };
    },
    ({ groupId }) => ({ groupId }),
  ),

  "group.remove": handler(
    ["STAFF", "SYSTEM"],
    reference,
    ({ ref, by, facts: { isMember: wasMember } }, { groupId }) => ({
      event: { type: "group.remove", by: by.type, groupId },
      changedFields: wasMember ? ["shopper_groups"] : [],
      rows: { endedMembership: { customerId: ref.id, groupId } },
    }),
    ({ groupId }) => ({ groupId }),
  ),
};
