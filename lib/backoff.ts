/** Backoff: delays between retries. */

/**
 * Doubles with each attempt.
 *
 * @param attempt 1 for the wait after the first failure
 * @returns milliseconds, from `firstMs` to `longestMs`
 */
export function exponential(attempt: number, firstMs: number, longestMs: number): number {
  return Math.min(firstMs * 2 ** Math.max(0, attempt - 1), longestMs);
}

/** Subtracts up to half at random, so that clients that failed together do not retry together. */
export function jittered(ms: number, random: () => number = Math.random): number {
  return ms / 2 + random() * ms / 2;
}
