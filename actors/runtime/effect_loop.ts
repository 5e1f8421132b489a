/** Performs due effects, a bounded number at once. */
import { type ClaimedEffect, claimEffects, type EffectOutcome, settleEffect } from "../../db/effects.ts";
import { type FixedClock, instant } from "../../db/clock.ts";
import type { Sql } from "../../db/connect.ts";
import { describeError } from "../../lib/error_description.ts";
import { claimAt, createStorePlaces, EVERYWHERE, startWorkLoop, type WorkLoop } from "../../db/work.ts";
import { CLAIM_MS, holdClaim } from "./claim.ts";
import type { Performer } from "./effects.ts";
import type { Actors } from "./protocol.ts";
import { complain, log, outageHandlers, retryDelay } from "./failures.ts";
import { watchEffect } from "./telemetry.ts";

const EFFECTS_AT_ONCE = 8;
/** Consecutive failures after which an effect is given up; with the backoff that takes about five hours. */
export const ATTEMPTS = 20;

export interface EffectLoopOptions {
  /** A pool of the role customer_worker. */
  sql: Sql;
  /** A pool of the role customer_api, for effects that read. */
  api: Sql;
  actors: Actors;
  performers: Record<string, Performer>;
  /** How long to wait before looking again when nothing wakes the loop, in milliseconds. */
  pollMs?: number;
  /** Whether the tables are distributed by store. */
  distributed?: boolean;
  /** How long a claim holds unless it is renewed, in milliseconds. */
  claimMs?: number;
  /** Absent: PostgreSQL's clock. */
  clock?: FixedClock;
}

export function startEffectLoop(options: EffectLoopOptions): WorkLoop {
  const { sql, api, actors, performers, pollMs = 1_000, claimMs = CLAIM_MS, clock } = options;
  const places = options.distributed ? createStorePlaces(sql, "effects") : EVERYWHERE;
  const running = new Set<Promise<void>>();

  async function perform(effect: ClaimedEffect, signal: AbortSignal): Promise<EffectOutcome> {
    const { type, effectId, attempts } = effect;
    try {
      const performer = performers[type];
      if (!performer) throw new Error(`No performer for ${type}`);
      const performed = await performer(effect, { actors, sql: api, signal });
      if (performed === "done") return { state: "DONE", finishedAt: instant(sql, clock), lastError: null };
      return { state: "PENDING", dueAt: instant(sql, clock), attempts: 0, lastError: null };
    } catch (error) {
      const lastError = describeError(error);
      log.error("Cannot perform {type} {effectId}, attempt {attempts}: {lastError}", {
        type,
        effectId,
        attempts,
        lastError,
      });
      if (attempts >= ATTEMPTS) return { state: "POISONED", lastError };
      return { state: "PENDING", dueAt: instant(sql, clock, retryDelay(attempts)), attempts, lastError };
    }
  }

  /** Performs an effect, whose claim is renewed until it ends. */
  async function performClaimed(effect: ClaimedEffect, stopping: AbortSignal): Promise<void> {
    const claim = holdClaim(sql, effect, claimMs, clock);
    const signal = AbortSignal.any([stopping, claim.lost]);
    const outcome = await watchEffect(effect, () => perform(effect, signal));
    await settleEffect(sql, { ...effect, claimedUntil: await claim.release() }, outcome);
  }

  const step = async (signal: AbortSignal) => {
    const free = EFFECTS_AT_ONCE - running.size;
    if (free === 0) return false; // the first to end wakes the loop
    const due = await claimAt(places, free, (storeId, limit) => {
      const [now, claimedUntil] = [instant(sql, clock), instant(sql, clock, claimMs)];
      return claimEffects(sql, { now, claimedUntil, limit, storeId });
    });
    for (const effect of due) {
      const performing = performClaimed(effect, signal)
        .catch((error) => complain(`settle effect ${effect.effectId}`, error))
        .finally(() => {
          running.delete(performing);
          places.add([effect.storeId]);
          loop.wake();
        });
      running.add(performing);
    }
    return due.length > 0;
  };
  const loop = startWorkLoop(step, { pollMs, ...outageHandlers("look for effects") });
  return {
    wake(storeIds = []) {
      places.add(storeIds);
      loop.wake();
    },
    async [Symbol.asyncDispose]() {
      await loop[Symbol.asyncDispose]();
      await Promise.all(running);
    },
  };
}
