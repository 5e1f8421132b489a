/** Renews the claim of an effect while it is performed. Claims are short, so that they expire soon after a crash. */
import { type FixedClock, instant } from "../../db/clock.ts";
import type { Sql } from "../../db/connect.ts";
import { type ClaimedEffect, renewClaim } from "../../db/effects.ts";
import { complain } from "./failures.ts";

/**
 * Duration of a claim, in milliseconds; unfinished work becomes due again when its claim expires. A timer is fired
 * within a third of it, and the claim of an effect is renewed after each third.
 */
export const CLAIM_MS = 15_000;

export interface HeldClaim {
  /** Aborts when another replica has claimed the effect because this one renewed its claim too late. */
  lost: AbortSignal;
  /** Stops renewing and returns when the claim expires. */
  release(): Promise<Date>;
}

/** @param claimMs duration of a claim; it is renewed after each third of that */
export function holdClaim(sql: Sql, effect: ClaimedEffect, claimMs: number, clock?: FixedClock): HeldClaim {
  const lost = new AbortController();
  let { claimedUntil } = effect;
  let renewing: Promise<void> | undefined;

  async function renew(): Promise<void> {
    const until = await renewClaim(sql, { ...effect, claimedUntil }, instant(sql, clock, claimMs));
    if (until) claimedUntil = until;
    else lost.abort(new Error(`effect ${effect.effectId} is another's now`));
  }

  const timer = setInterval(() => {
    renewing ??= renew()
      .catch((error) => complain(`renew the claim of effect ${effect.effectId}`, error)) // the next one may
      .finally(() => renewing = undefined);
  }, claimMs / 3);
  return {
    lost: lost.signal,
    async release() {
      clearInterval(timer);
      await renewing;
      return claimedUntil;
    },
  };
}
