/** When the process ends, and how long it takes over it. */

/** `deno task` passes Ctrl-C on to a process that has had it from the terminal already. */
const ECHO_MS = 1_000;

/** With the delay of production, a little less than what Kubernetes gives a container to end, in milliseconds. */
export const LIMIT_MS = 25_000;

/**
 * Listens from now on, and resolves when somebody tells the process to end. Then it has a while for that: what does
 * not end by itself, such as a wait for a database that keeps silent, ends with the process and exit code 1, and
 * so does everything when whoever has told it insists.
 *
 * @param delayMs how much of that while is meant for going on
 * @param orphaned resolves when nobody is left to tell it
 */
export function untilTold(delayMs: number, orphaned?: Promise<void>): Promise<void> {
  const told = Promise.withResolvers<void>();
  let since: number | undefined;
  const stop = () => {
    if (since !== undefined && Date.now() - since > ECHO_MS) Deno.exit(1);
    since ??= Date.now();
    Deno.unrefTimer(setTimeout(giveUp, delayMs + LIMIT_MS));
    told.resolve();
  };
  orphaned?.then(stop, stop);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    if (Deno.build.os !== "windows" || signal === "SIGINT") Deno.addSignalListener(signal, stop);
  }
  return told.promise;
}

function giveUp(): void {
  // deno-lint-ignore no-console -- the log may be what has not ended
  console.error(`Stopped in the middle: not everything has ended in time`);
  Deno.exit(1);
}

/** Waits for `work`, but not for longer than `limitMs`; false when that was too short. */
export async function within(limitMs: number, work: Promise<void>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const limit = setTimeout(late.resolve, limitMs, false);
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    clearTimeout(limit);
  }
}
