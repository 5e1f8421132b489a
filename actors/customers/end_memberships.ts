/** Takes every customer out of a deleted group, in batches. */
import { enterStore } from "../../db/connect.ts";
import { findMembers } from "../../db/customer_group_memberships.ts";
import type { Performer } from "../commands.ts";
import { systemPrincipal } from "../../domain/principal.ts";

/** How many memberships end in one claim. */
const BATCH = 200;

export const endMemberships: Performer = async (
  { storeId, actorId: groupId, traceparent },
  { actors, sql, signal },
) => {
  const members = await sql.begin("read only", async (tx) => {
    await enterStore(tx, storeId);
    return await findMembers(tx, storeId, groupId, BATCH);
  });
  const by = systemPrincipal(storeId);
  for (const id of members) {
    if (signal.aborted) return "more";
    await actors.send({ kind: "customer", storeId, id }, { type: "group.remove", groupId }, {
      by,
      traceparent,
    });
  }
  return members.length === BATCH ? "more" : "done";
};
