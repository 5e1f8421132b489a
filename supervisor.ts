/** Several processes of the service on the same ports, and the parent that starts them, and starts them again. */
import { getLogger } from "@logtape/logtape";
import { createServer } from "node:net";
import { pause } from "./lib/timeout.ts";
import type { Config } from "./config/mod.ts";
import { StartError } from "./start.ts";
import { numberInstances } from "./telemetry/instances.ts";

/** The argument by which a child knows what it is. */
const CHILD = "--worker";

/** The exit code of a child that was in no state to start, as sysexits.h has it. */
export const CANNOT_START = 78;

/** A child that has lived for so long starts its successor's backoff anew. */
const STEADY_MS = 60_000;
const LONGEST_BACKOFF_MS = 15_000;
/** What a child may take beyond the delay before it is killed: more than it gives itself. */
const END_LIMIT_MS = 30_000;

const log = getLogger(["customer-service", "workers"]);

/** Whether this process is somebody's child: then it serves, and asks no Vault, for its parent has. */
export function isWorker(): boolean {
  return Deno.args.includes(CHILD);
}

/** Resolves when the parent of this worker has ended, however that was. */
export async function untilOrphaned(): Promise<void> {
  for await (const _ of Deno.stdin.readable);
}

export type SupervisorOptions = Pick<
  Config,
  "workers" | "bind" | "httpPort" | "grpcPort" | "shutdownDelayMs"
>;

/**
 * Runs the service as child processes until it is told to end, and all of them have. A child that crashes is
 * started again, with growing pauses; when one cannot start in the first place, everything ends.
 *
 * @param env the children's environment, what Vault has given included
 * @returns the exit code: 0 when every child has ended well
 * @throws {StartError} a port is taken, or this process may start no others
 */
export async function supervise(env: Record<string, string>, options: SupervisorOptions): Promise<number> {
  await requireFree(options);
  const stopping = new AbortController();
  const children = new Set<Deno.ChildProcess>();
  const attributesOf = numberInstances(env.OTEL_RESOURCE_ATTRIBUTES);
  const tell = (signal: Deno.Signal) => children.forEach((child) => kill(child, signal));
  const stop = (signal: Deno.Signal) => {
    stopping.abort();
    tell(signal);
    Deno.unrefTimer(setTimeout(() => tell("SIGKILL"), options.shutdownDelayMs + END_LIMIT_MS));
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    if (Deno.build.os !== "windows" || signal === "SIGINT") {
      Deno.addSignalListener(signal, () => stop(signal));
    }
  }

  async function keepOne(place: number): Promise<number> {
    for (let round = 0, crashes = 0;; round++) {
      const since = performance.now();
      const child = spawn({ ...env, OTEL_RESOURCE_ATTRIBUTES: attributesOf(place) });
      children.add(child);
      const { code, signal } = await child.status;
      children.delete(child);
      if (stopping.signal.aborted) return signal === null || signal === "SIGKILL" ? code : 0; // told while it started
      if (round === 0 && code === CANNOT_START) { // neither could its successor
        stop("SIGTERM");
        return code;
      }
      crashes = performance.now() - since > STEADY_MS ? 0 : crashes + 1;
      const backoffMs = Math.min(500 * 2 ** crashes, LONGEST_BACKOFF_MS);
      log.error("Worker {pid} has ended with {how}: another one starts in {backoffMs} ms", {
        pid: child.pid,
        how: signal ?? `exit code ${code}`,
        backoffMs,
      });
      await pause(backoffMs, stopping.signal);
      if (stopping.signal.aborted) return 0;
    }
  }

  const codes = await Promise.all(Array.from({ length: options.workers }, (_, index) => keepOne(index + 1)));
  return codes.every((code) => code === 0) ? 0 : 1;
}

/** Its standard input ends with this process: untilOrphaned. */
function spawn(env: Record<string, string>): Deno.ChildProcess {
  const args = Deno.build.standalone ? [CHILD] : ["run", ...flags(), Deno.mainModule, CHILD];
  try {
    return new Deno.Command(Deno.execPath(), { args, env, clearEnv: true, stdin: "piped" }).spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new StartError(`Cannot start workers: allow it with --allow-run=${Deno.execPath()}`, { cause });
  }
}

/** A process is not told its own flags: its children get what it has without bounds, and what deno.json grants. */
function flags(): string[] {
  const kinds = ["net", "env", "read", "write", "run", "sys"] as const;
  const unbounded = kinds.filter((name) => Deno.permissions.querySync({ name }).state === "granted");
  const allowed = unbounded.map((name) => `--allow-${name}`);
  return ["--quiet", "--no-prompt", "-P", ...allowed, "--unstable-no-legacy-abort"];
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch { /* it has ended */ }
}

/** Children share their ports with each other, and would with a stranger: it is asked once, by who does not. */
async function requireFree({ bind, httpPort, grpcPort }: SupervisorOptions): Promise<void> {
  for (const [what, port] of [["HTTP", httpPort], ["gRPC", grpcPort]] as const) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const probe = createServer().once("error", reject).listen(port, bind, () => probe.close(() => resolve()));
    await promise.catch((cause) => {
      const why = cause.code === "EADDRINUSE" ? "the port is taken" : cause.message;
      throw new StartError(`Cannot serve ${what} on ${bind} port ${port}: ${why}`, { cause });
    });
  }
}
