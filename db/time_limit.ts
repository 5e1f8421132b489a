/** Timeout that treats a PostgreSQL without response as unreachable. */
import { withTimeout } from "../lib/timeout.ts";

/**
 * Resolves with the result of `work`, if it arrives within `limitMs`.
 *
 * @throws an error that counts as unavailable; the work itself continues
 */
export function inTime<T>(work: Promise<T>, limitMs: number): Promise<T> {
  return withTimeout(work, limitMs, () => {
    const error = new Error(`PostgreSQL has not answered within ${limitMs} ms`);
    throw Object.assign(error, { code: "ETIMEDOUT" });
  });
}
