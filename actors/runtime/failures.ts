/** Retry delays of the worker, and its log lines about failures. */
import { getLogger } from "@logtape/logtape";
import { describeError } from "../../lib/error_description.ts";
import { createOutageLog } from "../../lib/outage_log.ts";
import { exponential, jittered } from "../../lib/backoff.ts";

export const log = getLogger(["customer-service", "worker"]);

/** Handlers that log the failures of a work loop, and their end. */
export function outageHandlers(purpose: string) {
  const outage = createOutageLog(
    (error) => complain(purpose, error),
    () => log.info("Can {purpose} again", { purpose }),
  );
  return { onError: outage.report, onSuccess: outage.end };
}

const [FIRST_RETRY_MS, LONGEST_RETRY_MS] = [1_000, 30 * 60_000];

/** Milliseconds before a timer or an effect is tried again. @param attempts so far */
export function retryDelay(attempts: number, random?: () => number): number {
  return jittered(exponential(attempts, FIRST_RETRY_MS, LONGEST_RETRY_MS), random);
}

export function complain(purpose: string, error: unknown): void {
  log.error("Cannot {purpose}: {reason}", { purpose, reason: describeError(error) });
}
