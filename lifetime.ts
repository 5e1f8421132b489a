/** When the process ends, and how long it takes over it. */

/** `deno task` passes Ctrl-C on to a process that has had it from the terminal already. */
const ECHO_MS = 1_000;

/**
 * Listens from now on, and resolves when somebody tells the process to end. Whoever insists afterwards ends it at
 * once, with exit code 1.
 */
export function untilTold(): Promise<void> {
  const told = Promise.withResolvers<void>();
  let since: number | undefined;
  const stop = () => {
    if (since !== undefined && Date.now() - since > ECHO_MS) Deno.exit(1);
    since ??= Date.now();
    told.resolve();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    if (Deno.build.os !== "windows" || signal === "SIGINT") Deno.addSignalListener(signal, stop);
  }
  return told.promise;
}

/** Waits for `work`, but not for longer than `limitMs`; tells whether it has ended. */
export async function within(limitMs: number, work: PromiseLike<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const limit = setTimeout(() => late.resolve(false), limitMs);
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    clearTimeout(limit);
  }
}
