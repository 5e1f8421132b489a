/** Fires due timers. */
import { type FixedClock, instant } from "../../db/clock.ts";
import type { Sql } from "../../db/connect.ts";
import { describeError } from "../../lib/error_description.ts";
import { type ClaimedTimer, claimTimers, postponeTimer } from "../../db/timers.ts";
import { claimAt, createStorePlaces, EVERYWHERE, startWorkLoop, type WorkLoop } from "../../db/work.ts";
import { log, outageHandlers, retryDelay } from "./failures.ts";
import { CLAIM_MS } from "./claim.ts";
import type { Runtime } from "./mod.ts";
import { watchTimer } from "./telemetry.ts";

const TIMERS_A_CLAIM = 50;

export interface TimerLoopOptions {
  /** A pool of the role customer_worker. */
  sql: Sql;
  actors: Runtime;
  /** How long to wait before looking again when nothing wakes the loop, in milliseconds. */
  pollMs?: number;
  /** Whether the tables are distributed by store. */
  distributed?: boolean;
  /** Absent: PostgreSQL's clock. */
  clock?: FixedClock;
}

export function startTimerLoop(
  { sql, actors, pollMs = 1_000, distributed = false, clock }: TimerLoopOptions,
): WorkLoop {
  async function fire(timer: ClaimedTimer): Promise<void> {
    try {
      const fired = await watchTimer(timer, () => actors.fire(timer));
      if (!fired) log.debug("Timer {name} of {actorKind} {actorId} came too late", { ...timer });
    } catch (error) {
      const lastError = describeError(error);
      log.error("Cannot fire timer {name} of {actorKind} {actorId}: {lastError}", { ...timer, lastError });
      await postponeTimer(sql, timer, instant(sql, clock, retryDelay(timer.attempts)), lastError);
    }
  }
  const places = distributed ? createStorePlaces(sql, "timers") : EVERYWHERE;
  const step = async () => {
    const due = await claimAt(places, TIMERS_A_CLAIM, (storeId, limit) => {
      const [now, claimedUntil] = [instant(sql, clock), instant(sql, clock, CLAIM_MS)];
      return claimTimers(sql, { now, claimedUntil, limit, storeId });
    });
    await Promise.all(due.map(fire));
    return due.length > 0;
  };
  const loop = startWorkLoop(step, { pollMs, ...outageHandlers("look for timers") });
  return {
    ...loop,
    wake(storeIds = []) {
      places.add(storeIds);
      loop.wake();
    },
  };
}
