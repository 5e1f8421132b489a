/** Keeps an effect claimed while it is performed: some take minutes, and a claim has to run out soon after a crash. */
import type { Sql } from "../../db/connect.ts";
import { type ClaimedEffect, renewClaim } from "../../db/effects.ts";
import { complain } from "./failures.ts";
import { later } from "../../lib/dates.ts";

/**
 * How long a claim holds, in milliseconds: whatever its claimant has not finished by then is due again. A timer is
 * fired within a third of it, the claim of an effect is renewed as often as that.
 */
export const CLAIM_MS = 15_000;

export interface HeldClaim {
  /** Fires when another replica has the effect: this one was too slow to renew its claim. */
  lost: AbortSignal;
  /** Stops renewing, and tells until when the claim holds now. */
  release(): Promise<Date>;
}

/** @param claimMs how long a claim holds; it is renewed after each third of that */
export function holdClaim(sql: Sql, effect: ClaimedEffect, claimMs: number, clock: () => Date): HeldClaim {
  const lost = new AbortController();
  let { claimedUntil } = effect;
  let renewing: Promise<void> | undefined;

  async function renew(): Promise<void> {
    const until = later(clock(), claimMs);
    if (await renewClaim(sql, { ...effect, claimedUntil }, until)) claimedUntil = until;
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
