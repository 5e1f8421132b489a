/** How each effect is performed. Every one may be performed again after a crash, so each is idempotent. */
import { enterStore, type Sql } from "../db/connect.ts";
import { findMembers } from "../db/customer_group_memberships.ts";
import type { ClaimedEffect } from "../db/effects.ts";
import type { EffectType } from "./outbound.ts";
import { systemPrincipal } from "./principal.ts";
import type { Actors } from "./protocol.ts";

/** What effects work with. */
export interface EffectContext {
  actors: Actors;
  /** A pool of the role customer_api. */
  sql: Sql;
  /** Aborted when the service stops: an effect that goes on for long ends early and is performed again. */
  signal: AbortSignal;
}

/** `more`: it has come forward and wants to go on at once, in a claim of its own. */
export type Performed = "done" | "more";

export type Performer = (effect: ClaimedEffect, context: EffectContext) => Promise<Performed>;

/** How many memberships end in one claim. */
const BATCH = 200;

export const performers: Record<EffectType, Performer> = {
  "memberships.end": async ({ storeId, actorId: groupId, traceId }, { actors, sql, signal }) => {
    const members = await sql.begin("read only", async (tx) => {
      await enterStore(tx, storeId);
      return await findMembers(tx, storeId, groupId, BATCH);
    });
    const by = systemPrincipal(storeId);
    for (const id of members) {
      if (signal.aborted) return "more";
      await actors.send({ kind: "customer", storeId, id }, { type: "group.remove", groupId }, {
        by,
        traceId,
      });
    }
    return members.length === BATCH ? "more" : "done";
  },
};
