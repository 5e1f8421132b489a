/** A PostgreSQL that keeps silent is as good as away. */

/**
 * What `work` comes to, if it does so within `limitMs`.
 *
 * @throws an error that counts as unavailable; the work itself goes on
 */
export async function inTime<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const silence = Promise.withResolvers<never>();
  const limit = setTimeout(() => {
    const error = new Error(`PostgreSQL has not answered within ${limitMs} ms`);
    silence.reject(Object.assign(error, { code: "ETIMEDOUT" }));
  }, limitMs);
  try {
    return await Promise.race([work, silence.promise]);
  } finally {
    clearTimeout(limit);
  }
}
