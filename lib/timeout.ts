/** Timeouts and pauses. */

const isLate: unique symbol = Symbol();

/**
 * Waits for `work`, but at most `limitMs`. The timeout does not stop the work, whose later failure is ignored.
 *
 * @param onTimeout called after `limitMs`; it throws, or returns the result to use instead
 */
export async function withTimeout<T, Late = never>(
  work: Promise<T>,
  limitMs: number,
  onTimeout: () => Late,
): Promise<T | Late> {
  const late = Promise.withResolvers<typeof isLate>();
  const timer = setTimeout(() => late.resolve(isLate), limitMs);
  try {
    const first = await Promise.race([work, late.promise]);
    return first === isLate ? onTimeout() : first;
  } finally {
    clearTimeout(timer);
  }
}

/** Returns whether `work` completes within `limitMs`. Throws its error. */
export function succeedsWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  return withTimeout(work.then(() => true), limitMs, () => false);
}

/** Waits, and returns early, without an error, when `signal` aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal?.aborted) return Promise.resolve();
  const timer = setTimeout(resolve, ms);
  const wake = () => resolve();
  signal?.addEventListener("abort", wake, { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", wake);
  });
}
