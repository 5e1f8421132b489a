/** Waiting for something real: looks again and again until it holds, and fails with its reason at the deadline. */
export async function eventually<T>(look: () => Promise<T> | T, deadlineMs = 60_000): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
