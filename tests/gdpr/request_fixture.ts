/** Fixture that opens GDPR requests, and processes their timers and effects when the test asks for it. */
import assert from "node:assert/strict";
import type { Performer } from "../../actors/runtime/effects.ts";
import { reviewErasure } from "../../actors/gdpr/effects/review.ts";
import { verifyErasure } from "../../actors/gdpr/effects/verify.ts";
import type { ActorRef } from "../../actors/commands.ts";
import type { CommandContext } from "../../actors/runtime/protocol.ts";
import { claimEffects, settleEffect } from "../../db/effects.ts";
import { claimTimers } from "../../db/timers.ts";
import { tell, type World } from "../actors/world.ts";

export function createRequestFixture(
  world: World,
  performers: Record<string, Performer> = {
    "erasure.review": reviewErasure,
    "erasure.verify": verifyErasure,
  },
) {
  const sql = world.database.pool("customer_worker");
  const api = world.database.pool("customer_api");
  const signal = new AbortController().signal;

  return {
    async open(
      { storeId, id: customerId }: ActorRef,
      right: string,
      fields: Record<string, unknown> = {},
      context: Partial<CommandContext> = {},
    ): Promise<ActorRef> {
      const ref = { kind: "gdpr_request" as const, storeId, id: crypto.randomUUID() };
      const { id } = await tell(world, ref, "open", { customerId, right, ...fields }, context);
      return { ...ref, id };
    },
    tell: (
      ref: ActorRef,
      type: string,
      fields: Record<string, unknown> = {},
      context: Partial<CommandContext> = {},
    ) => tell(world, ref, type, fields, context),
    async row({ id }: ActorRef) {
      const [row] = await world.admin`select * from gdpr_requests where request_id = ${id}`;
      assert.ok(row);
      return row;
    },
    /** Fires due timers and performs due effects until none is left. Returns their number. */
    async work(time?: Date): Promise<number> {
      let done = 0;
      for (;;) {
        const now = time ?? new Date(Date.now() + 5);
        const until = new Date(now.getTime() + 60_000);
        const timers = await claimTimers(sql, { now, claimedUntil: until, limit: 50 });
        for (const timer of timers) await world.actors.fire(timer);
        const effects = await claimEffects(sql, { now, claimedUntil: until, limit: 50 });
        for (const effect of effects) {
          const performer = performers[effect.type];
          assert.ok(performer, effect.type);
          await performer(effect, { actors: world.actors, sql: api, signal });
          await settleEffect(sql, effect, { state: "DONE", finishedAt: now, lastError: null });
        }
        if (timers.length + effects.length === 0) return done;
        done += timers.length + effects.length;
      }
    },
  };
}
