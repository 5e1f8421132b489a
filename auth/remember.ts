/** Remembers verified tokens for a moment: checking a signature costs more than everything else that `me` does. */
import { LRUCache } from "lru-cache";
import { sha256 } from "../lib/hash.ts";

/** How long a token may count after it would have been refused, its key being withdrawn, say. */
const REMEMBER_MS = 60_000;
const MAX_TOKENS = 10_000;

/**
 * Calls `verify` only for tokens that have not been verified within the last minute; none outlives `expiresAt`
 * (milliseconds since 1970) from memory. Refusals are not remembered, and neither are the tokens, only hashes.
 */
export function remember<Verified extends object>(
  verify: (token: string) => Promise<{ verified: Verified; expiresAt: number }>,
): (token: string) => Promise<Verified> {
  // A resolution of 0 reads the clock each time, where any other keeps a timer running.
  const known = new LRUCache<string, Verified>({ max: MAX_TOKENS, ttl: REMEMBER_MS, ttlResolution: 0 });
  return async (token) => {
    const key = sha256(token).toBase64();
    const found = known.get(key);
    if (found) return found;
    const { verified, expiresAt } = await verify(token);
    const ttl = Math.min(REMEMBER_MS, expiresAt - Date.now());
    if (ttl > 0) known.set(key, verified, { ttl });
    return verified;
  };
}
