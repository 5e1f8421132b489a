/** Condition variable: a test waits until something that it observes has happened. */
const PATIENCE_MS = 30_000;

export class Changes {
  #next = Promise.withResolvers<void>();

  notify(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  /** Looks at the condition now and after each `notify`. @throws {Error} it does not become true in time */
  async until(condition: () => boolean): Promise<void> {
    const late = Promise.withResolvers<never>();
    late.promise.catch(() => {});
    const error = new Error(`Never true: ${condition}`);
    const timer = setTimeout(() => late.reject(error), PATIENCE_MS);
    try {
      while (!condition()) await Promise.race([this.#next.promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
