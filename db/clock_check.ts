/** Clock check: compares this process's clock with PostgreSQL's, which decides, and reports a difference. */
import { getLogger } from "@logtape/logtape";
import { createOutageLog } from "../lib/outage_log.ts";
import { observe } from "../telemetry/metrics.ts";
import type { Sql } from "./connect.ts";
import { startWorkLoop } from "./work.ts";

/** Difference from which on it is reported, in milliseconds; the verifier of tokens allows one of this size. */
export const ALLOWED_OFFSET_MS = 5_000;
const EVERY_MS = 30_000;

export interface ClockCheck extends AsyncDisposable {
  /** A sentence about the difference; undefined while the clocks agree or before the first comparison. */
  warning(): string | undefined;
}

/**
 * Compares at once and every 30 seconds. Decisions of this process stay right, since they use PostgreSQL's clock; tokens,
 * certificates and log lines use its own.
 *
 * @param sql a pool of any role
 */
export function startClockCheck(sql: Sql): ClockCheck {
  const log = getLogger(["customer-service"]);
  let offsetMs: number | undefined;
  const outage = createOutageLog(
    (warning) => log.warn("{warning}", { warning }),
    () => log.info("This replica's clock agrees with PostgreSQL's again"),
  );
  const warning = () => {
    if (offsetMs === undefined || Math.abs(offsetMs) <= ALLOWED_OFFSET_MS) return undefined;
    const seconds = Math.round(Math.abs(offsetMs) / 1_000);
    return `This replica's clock is ${seconds} s ${
      offsetMs > 0 ? "later than" : "earlier than"
    } PostgreSQL's`;
  };
  const step = async () => {
    offsetMs = await measureOffset(sql);
    const text = warning();
    if (text === undefined) outage.end();
    else outage.report(text);
    return false;
  };
  const onError = () => offsetMs = undefined; // readiness and the pools report that the database is unavailable
  const loop = startWorkLoop(step, { pollMs: EVERY_MS, onError });
  const metric = observe(["customer_service.clock.offset"], () => ({
    "customer_service.clock.offset": offsetMs === undefined ? [] : [{ value: offsetMs / 1_000 }],
  }));
  return {
    warning,
    async [Symbol.asyncDispose]() {
      metric[Symbol.dispose]();
      await loop[Symbol.asyncDispose]();
    },
  };
}

/**
 * Milliseconds by which this process's clock is ahead of PostgreSQL's; 0 if the difference is less than the
 * measurement's duration.
 */
async function measureOffset(sql: Sql): Promise<number> {
  const before = Date.now();
  const [row] = await sql<[{ now: Date }]>`select clock_timestamp() as now`;
  const after = Date.now();
  const now = row.now.getTime();
  if (now < before) return before - now;
  return now > after ? after - now : 0;
}
