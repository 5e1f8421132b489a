/** Cache of verified tokens. Without it, verifying the signature is the largest cost of a small query. */
import { ExpiringCache } from "../lib/expiring_cache.ts";
import { sha256 } from "../lib/hash.ts";
import { hasCode } from "../domain/errors.ts";
import { createForgeryBudget } from "./forgery_budget.ts";

/** Maximum time that a token stays accepted after its key was withdrawn. */
const TTL_MS = 60_000;
const MAX_TOKENS = 10_000;

/** Address of callers whose address is unknown. They share one budget. */
export const UNKNOWN_ADDRESS = "unknown";

/**
 * Calls `verify` only for tokens that it has not verified within the last minute. A cached token ends at `expiresAt`
 * (milliseconds since 1970). The cache holds hashes, not tokens, and no refusals. Refusals count
 * against the address that sent the token, and an address with too many of them is refused without a check.
 */
export function cacheVerified<Verified extends object>(
  verify: (token: string) => Promise<{ verified: Verified; expiresAt: number }>,
  budget = createForgeryBudget(),
): (token: string, address?: string) => Promise<Verified> {
  const cache = new ExpiringCache<Verified>(MAX_TOKENS);
  return async (token, address = UNKNOWN_ADDRESS) => {
    const key = sha256(token).toBase64();
    const cached = cache.get(key);
    if (cached) return cached;
    budget.require(address);
    const { verified, expiresAt } = await verify(token).catch((error) => {
      if (hasCode(error, "UNAUTHENTICATED")) budget.charge(address);
      throw error;
    });
    cache.set(key, verified, Math.min(TTL_MS, expiresAt - Date.now()));
    return verified;
  };
}
