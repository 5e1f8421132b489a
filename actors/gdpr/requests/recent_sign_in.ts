/** Check of the customer's last sign-in before an act that cannot be undone. A stolen session alone must not suffice. */
import { DomainError } from "../../../domain/errors.ts";
import type { Principal } from "../../../domain/principal.ts";

export interface SignIn {
  by: Principal;
  now: Date;
  /** Age of the sign-in up to which it is recent, in milliseconds. */
  maxSignInAgeMs: number;
}

/**
 * Requires a recent sign-in of a customer. Staff and services act on their own rights.
 *
 * @param operation for the message: "open a GDPR request of customer …"
 * @throws {DomainError} RECENT_SIGN_IN_REQUIRED: the sign-in was too long ago, or the token does not state its time
 */
export function requireRecentSignIn(operation: string, { by, now, maxSignInAgeMs }: SignIn): void {
  if (by.type !== "CUSTOMER") return;
  const { authenticatedAt } = by;
  if (authenticatedAt && now.getTime() - authenticatedAt.getTime() <= maxSignInAgeMs) return;
  const minutes = Math.ceil(maxSignInAgeMs / 60_000);
  throw new DomainError(
    "RECENT_SIGN_IN_REQUIRED",
    `Cannot ${operation}: it requires a sign-in within the last ${
      minutes === 1 ? "minute" : `${minutes} minutes`
    }, ` +
      "which the token states as auth_time",
  );
}
