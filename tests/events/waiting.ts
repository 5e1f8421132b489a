/** Polling for a condition. */

/** Polls until the condition is true. */
export async function until(
  what: string,
  answer: () => boolean | Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!(await answer())) {
    if (Date.now() > limit) throw new Error(`Not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
