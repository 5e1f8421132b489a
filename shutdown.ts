/** Shutdown: termination signals, their time limit, and uncaught errors. */
import { dispose, getLogger } from "@logtape/logtape";
import { describeDefect } from "./lib/error_description.ts";
import { succeedsWithin } from "./lib/timeout.ts";

/** `deno task` forwards a Ctrl-C that the process has already received from the terminal. */
const ECHO_MS = 1_000;

/** With production's delay a little less than the termination grace period of Kubernetes, in milliseconds. */
export const LIMIT_MS = 25_000;

/**
 * Resolves at the first SIGINT or SIGTERM. A shutdown that takes longer than `delayMs` + LIMIT_MS, or a second signal,
 * ends the process with exit code 1.
 *
 * @param delayMs how long the service still accepts requests after the signal
 * @param orphaned resolves when the parent process has ended, which counts as a signal
 */
export function waitForShutdown(delayMs: number, orphaned?: Promise<void>): Promise<void> {
  const shutdown = Promise.withResolvers<void>();
  let signaledAt: number | undefined;
  const stop = () => {
    if (signaledAt !== undefined && Date.now() - signaledAt > ECHO_MS) Deno.exit(1);
    signaledAt ??= Date.now();
    Deno.unrefTimer(setTimeout(giveUp, delayMs + LIMIT_MS));
    shutdown.resolve();
  };
  orphaned?.then(stop, stop);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    if (Deno.build.os !== "windows" || signal === "SIGINT") Deno.addSignalListener(signal, stop);
  }
  return shutdown.promise;
}

function giveUp(): void {
  // deno-lint-ignore no-console -- the log itself may be blocked
  console.error("Stopped before the shutdown was complete: the time limit has expired");
  Deno.exit(1);
}

/** Time to flush the log. */
const FLUSH_MS = 1_000;

/**
 * Ends the process with exit code 1 after an uncaught error or rejection, because its state is unknown. The log contains
 * the class and the place of the error but not its message, which may contain personal values. PostgreSQL rolls back open
 * transactions, as after a kill, and the supervisor or the orchestrator starts another process.
 */
export function exitOnUncaught(): void {
  let isEnding = false;
  const end = (event: Event, message: string, error: unknown) => {
    event.preventDefault(); // Deno would print the error with its message
    if (isEnding) return;
    isEnding = true;
    getLogger(["customer-service"]).fatal(message, { error: describeDefect(error) });
    const exit = () => Deno.exit(1);
    succeedsWithin(dispose(), FLUSH_MS).then(exit, exit);
  };
  addEventListener("error", (event) => end(event, "Exiting after an uncaught error: {error}", event.error));
  addEventListener(
    "unhandledrejection",
    (event) => end(event, "Exiting after an unhandled rejection: {error}", event.reason),
  );
}
