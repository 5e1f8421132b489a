/** Wake-up of worker loops: a notification wakes a loop, and polling covers a lost one. */
import type { Sql } from "./connect.ts";

/** Notifications carry no content: a worker that wakes reads its own table. */
const CHANNEL = "customer_work";

/**
 * Notifies every replica that work has been committed; callers share a notification that is on its way. It
 * runs after the commit and not inside: a transaction that notifies takes a lock that all such commits share.
 */
export function createNotifier(sql: Sql): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      sql.notify(CHANNEL, "").catch(() => {}); // polling finds the work
    }, 5);
  };
}

/** Calls `wake` at every notification, and after each reconnection, when some may have been missed. */
export async function listen(sql: Sql, wake: () => void): Promise<AsyncDisposable> {
  const { unlisten } = await sql.listen(CHANNEL, wake, wake);
  return { [Symbol.asyncDispose]: unlisten };
}

export interface WorkLoop extends AsyncDisposable {
  /** Starts the next step now rather than at the next poll. */
  wake(): void;
}

export interface WorkLoopOptions {
  /** Poll interval, in milliseconds. */
  pollMs: number;
  /** Called with the error of a step; the loop continues at the next poll. */
  onError(error: unknown): void;
  onSuccess?(): void;
}

/**
 * Runs `step` repeatedly, one at a time. A step returns whether there may be more work; without more the loop
 * waits. Disposing aborts the signal and waits for the running step.
 */
export function startWorkLoop(
  step: (signal: AbortSignal) => Promise<boolean>,
  options: WorkLoopOptions,
): WorkLoop {
  const stopping = new AbortController();
  let woken = Promise.withResolvers<void>();
  const tried = async () => {
    try {
      const more = await step(stopping.signal);
      options.onSuccess?.();
      return more;
    } catch (error) {
      if (!stopping.signal.aborted) options.onError(error);
      return false;
    }
  };
  const ended = (async () => {
    while (!stopping.signal.aborted) {
      woken = Promise.withResolvers<void>();
      const more = await tried();
      if (more || stopping.signal.aborted) continue;
      const poll = setTimeout(() => woken.resolve(), options.pollMs);
      await woken.promise;
      clearTimeout(poll);
    }
  })();
  return {
    wake: () => woken.resolve(),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      woken.resolve();
      await ended;
    },
  };
}
