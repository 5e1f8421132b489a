/** Supervisor: starts several worker processes on the same ports and restarts crashed ones. */
import { getLogger } from "@logtape/logtape";
import { exponential } from "./lib/backoff.ts";
import { pause } from "./lib/timeout.ts";
import type { Config } from "./config/mod.ts";
import { requireFreePorts, StartError } from "./start.ts";
import { instanceAttributes } from "./telemetry/instances.ts";

/** Command line argument of a worker process. */
const CHILD = "--worker";

/** Exit code of a worker that cannot start: EX_CONFIG of sysexits.h. */
export const CANNOT_START = 78;

/** After this uptime a crash resets the backoff. */
const STEADY_MS = 60_000;
const MAX_BACKOFF_MS = 15_000;
/** Time after the delay before a worker is killed. Longer than the worker's own limit. */
const END_LIMIT_MS = 30_000;

const log = getLogger(["customer-service", "workers"]);

/** Whether this process is a worker of a supervisor. */
export function isWorker(): boolean {
  return Deno.args.includes(CHILD);
}

/** Resolves when the supervisor of this worker has ended. */
export async function untilOrphaned(): Promise<void> {
  for await (const _ of Deno.stdin.readable);
}

export type SupervisorOptions = Pick<
  Config,
  "workers" | "bind" | "httpPort" | "grpcPort" | "shutdownDelayMs"
>;

/**
 * Runs the service as worker processes until a termination signal. Restarts crashed workers with exponential backoff. If
 * a worker cannot start the first time, it stops all of them.
 *
 * @param env environment of the workers, including the variables from Vault
 * @returns the exit code: 0 if every worker has exited with 0
 * @throws {StartError} a port is taken, or this process must not start others
 */
export async function supervise(env: Record<string, string>, options: SupervisorOptions): Promise<number> {
  await requireFreePorts(options); // workers share their ports and would share them with another program too
  const stopping = new AbortController();
  const children = new Set<Deno.ChildProcess>();
  const attributesOf = instanceAttributes(env.OTEL_RESOURCE_ATTRIBUTES);
  const signalAll = (signal: Deno.Signal) => children.forEach((child) => kill(child, signal));
  const stop = (signal: Deno.Signal) => {
    stopping.abort();
    signalAll(signal);
    Deno.unrefTimer(setTimeout(() => signalAll("SIGKILL"), options.shutdownDelayMs + END_LIMIT_MS));
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    if (Deno.build.os !== "windows" || signal === "SIGINT") {
      Deno.addSignalListener(signal, () => stop(signal));
    }
  }

  async function keepRunning(index: number): Promise<number> {
    for (let round = 0, crashes = 0;; round++) {
      const since = performance.now();
      const child = spawn({ ...env, OTEL_RESOURCE_ATTRIBUTES: attributesOf(index) });
      children.add(child);
      const { code, signal } = await child.status;
      children.delete(child);
      if (stopping.signal.aborted) return signal === null || signal === "SIGKILL" ? code : 0; // signaled before it handled signals
      if (round === 0 && code === CANNOT_START) { // a restart would fail too
        stop("SIGTERM");
        return code;
      }
      crashes = performance.now() - since > STEADY_MS ? 0 : crashes + 1;
      const backoffMs = exponential(crashes + 1, 500, MAX_BACKOFF_MS);
      log.error("Worker {pid} has ended with {how}: restarting in {backoffMs} ms", {
        pid: child.pid,
        how: signal ?? `exit code ${code}`,
        backoffMs,
      });
      await pause(backoffMs, stopping.signal);
      if (stopping.signal.aborted) return 0;
    }
  }

  const codes = await Promise.all(
    Array.from({ length: options.workers }, (_, index) => keepRunning(index + 1)),
  );
  return codes.every((code) => code === 0) ? 0 : 1;
}

/** Starts a worker. Its standard input closes when this process ends: see untilOrphaned. */
function spawn(env: Record<string, string>): Deno.ChildProcess {
  const args = Deno.build.standalone ? [CHILD] : ["run", ...flags(), Deno.mainModule, CHILD];
  try {
    return new Deno.Command(Deno.execPath(), { args, env, clearEnv: true, stdin: "piped" }).spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new StartError(`Cannot start workers: allow it with --allow-run=${Deno.execPath()}`, { cause });
  }
}

/** Permission flags of a worker: this process's unrestricted permissions, and those of deno.json. */
function flags(): string[] {
  const kinds = ["net", "env", "read", "write", "run", "sys"] as const;
  const unbounded = kinds.filter((name) => Deno.permissions.querySync({ name }).state === "granted");
  const allowed = unbounded.map((name) => `--allow-${name}`);
  const unstable = ["--unstable-no-legacy-abort", "--unstable-lazy-dynamic-imports"];
  return ["--quiet", "--no-prompt", "-P", ...allowed, ...unstable];
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch { /* it has ended */ }
}
