/** When the process ends, and how long it takes over it. */
import { dispose, getLogger } from "@logtape/logtape";
import { describeDefect } from "./db/errors.ts";

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

/** Time for the last lines of the log to leave the process. */
const FLUSH_MS = 1_000;

/**
 * Ends the process with exit code 1 when no code has caught an error or a rejection: what state it is in is unknown
 * then. The log names the class and the place of the error and leaves out its message, which may hold anything.
 * Transactions under way are rolled back by PostgreSQL, as after a kill, and the supervisor or the orchestrator starts
 * another process.
 */
export function exitOnUncaught(): void {
  let isEnding = false;
  const end = (event: Event, message: string, error: unknown) => {
    event.preventDefault(); // Deno would print the error with its message
    if (isEnding) return;
    isEnding = true;
    getLogger(["customer-service"]).fatal(message, { error: describeDefect(error) });
    const exit = () => Deno.exit(1);
    within(FLUSH_MS, dispose()).then(exit, exit);
  };
  addEventListener("error", (event) => end(event, "Ends after an uncaught error: {error}", event.error));
  addEventListener(
    "unhandledrejection",
    (event) => end(event, "Ends after an unhandled rejection: {error}", event.reason),
  );
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
