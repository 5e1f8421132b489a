/** Fires due timers. */
import { type FixedClock, instant } from "../../db/clock.ts";
import type { Sql } from "../../db/connect.ts";
import { describeError } from "../../lib/error_description.ts";
import { type ClaimedTimer, claimTimers, postponeTimer } from "../../db/timers.ts";
import { startWorkLoop, type WorkLoop } from "../../db/work.ts";
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
  /** Absent: PostgreSQL's clock. */
  clock?: FixedClock;
}

export function startTimerLoop(
  { sql, actors, pollMs = 1_000, clock }: TimerLoopOptions,
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
  const step = async () => {
    const due = await claimTimers(sql, instant(sql, clock), instant(sql, clock, CLAIM_MS), TIMERS_A_CLAIM);
    await Promise.all(due.map(fire));
    return due.length > 0;
  };
  return startWorkLoop(step, { pollMs, ...outageHandlers("look for timers") });
}
