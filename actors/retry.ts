/** When something that failed is tried again, and how its failure is told. */
import { getLogger } from "@logtape/logtape";
import { describeError } from "../db/errors.ts";
import { createTrouble } from "../db/trouble.ts";

export const log = getLogger(["customer-service", "worker"]);

/**
 * How long a claim holds, in milliseconds: whatever its claimant has not finished by then is due again. A timer is
 * fired within a third of it, the claim of an effect is renewed as often as that.
 */
export const CLAIM_MS = 15_000;

/** Milliseconds before the next attempt: doubling from a second to half an hour, the later half of it at random. */
export function backoff(attempts: number, random: () => number = Math.random): number {
  const limit = Math.min(1_000 * 2 ** (attempts - 1), 30 * 60_000);
  return limit / 2 + random() * limit / 2;
}

export function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}

/** What a work loop reports its failures to, and their end. */
export function troubleWith(purpose: string) {
  const trouble = createTrouble(
    (error) => complain(purpose, error),
    () => log.info("Can {purpose} again", { purpose }),
  );
  return { onError: trouble.tell, onSuccess: trouble.over };
}

export function complain(purpose: string, error: unknown): void {
  log.error("Cannot {purpose}: {reason}", { purpose, reason: describeError(error) });
}
