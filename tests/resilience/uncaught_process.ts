/**
 * Program with the service's log and its handler of uncaught errors. It fails in the way of its first argument. With
 * `supervise` it supervises one worker, which fails once: when it can remove the file of the second argument.
 */
import { EventEmitter } from "node:events";
import { configureLogging } from "../../config/logging.ts";
import { exitOnUncaught } from "../../shutdown.ts";
import { isWorker, supervise } from "../../supervisor.ts";

/** A personal value that must not be in the log. */
const EMAIL = "numbat@example.com";

const FAILURES: Record<string, () => void> = {
  timer: () => void setTimeout(fail),
  rejection: () => void Promise.resolve().then(fail),
  emitter: () => void setTimeout(() => new EventEmitter().emit("error", new Error(EMAIL))),
  text: () => void Promise.reject(EMAIL),
  unreadable: () => void setTimeout(failUnreadably),
  repeatedly: () => void setInterval(fail),
};

function fail(): void {
  throw new Error(`Cannot send to ${EMAIL}`);
}

function failUnreadably(): void {
  throw Object.defineProperty(new Error(EMAIL), "name", {
    get() {
      throw new Error(EMAIL);
    },
  });
}

if (import.meta.main) {
  const [failure = "", file = ""] = Deno.args;
  const log = await configureLogging(true);
  exitOnUncaught();
  setInterval(() => {}, 60_000); // nothing but the handler ends this program
  if (failure === "supervise" && !isWorker()) {
    const options = { workers: 1, bind: "127.0.0.1", httpPort: 0, grpcPort: 0, shutdownDelayMs: 0 };
    const code = await supervise({ ...Deno.env.toObject(), UNCAUGHT_FILE: file }, options);
    await log[Symbol.asyncDispose]();
    Deno.exit(code);
  }
  if (isWorker()) {
    const isFirst = await Deno.remove(Deno.env.get("UNCAUGHT_FILE")!).then(() => true, () => false);
    if (isFirst) FAILURES.timer!();
    // deno-lint-ignore no-console -- the test reads it
    else console.log(`successor ${Deno.pid}`);
    Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
  } else FAILURES[failure]!();
}
