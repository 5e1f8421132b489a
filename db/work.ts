/** How a process learns that there is something to do: a notification wakes it, polling covers a lost one. */
import type { Sql } from "./connect.ts";

/** Notifications carry no content: whoever is woken looks at its own table. */
const CHANNEL = "customer_work";

/**
 * Tells every replica that work has been committed, once however many ask while it is on its way. It runs
 * after the commit and not inside: a transaction that notifies takes a lock that all such commits share.
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
  /** Look now rather than at the next poll. */
  wake(): void;
}

export interface WorkLoopOptions {
  /** How long to wait before looking again when nothing wakes the loop, in milliseconds. */
  pollMs: number;
  /** Told of a step that threw; the loop goes on at the next poll. */
  onError(error: unknown): void;
  onSuccess?(): void;
}

/**
 * Runs `step` again and again, one at a time. A step answers whether there may be more to do; without more the
 * loop waits. Disposing aborts the signal and waits for the step that runs.
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
