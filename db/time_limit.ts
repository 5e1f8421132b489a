/** A PostgreSQL that does not answer counts as unreachable. */
import { withTimeout } from "../lib/timeout.ts";

/**
 * The result of `work`, if it comes within `limitMs`.
 *
 * @throws an error that counts as unavailable; the work itself goes on
 */
export function inTime<T>(work: Promise<T>, limitMs: number): Promise<T> {
  return withTimeout(work, limitMs, () => {
    const error = new Error(`PostgreSQL has not answered within ${limitMs} ms`);
    throw Object.assign(error, { code: "ETIMEDOUT" });
  });
}
