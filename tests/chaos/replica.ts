/** Replica of the service, with a proxy of its own to PostgreSQL and the outputs of all its processes. */
import { childrenOf, isThere } from "../resilience/processes.ts";
import { portsOf } from "../production.ts";
import { type RunningService, startService } from "../service.ts";
import { eventually } from "../eventually.ts";
import assert from "node:assert/strict";
import type { DatabaseProxy } from "./proxy.ts";

export interface Replica {
  name: string;
  /** Number of its worker processes. */
  workers: number;
  http: number;
  grpc: number;
  database: DatabaseProxy;
  /** PID of its first process; undefined while it is down. */
  pid(): number | undefined;
  /** PIDs of all its processes. */
  pids(): Promise<number[]>;
  /** Starts it, again and again as a supervisor does. Returns when it is ready. */
  start(): Promise<void>;
  /** Sends a signal to all its processes. */
  signalAll(signal: Deno.Signal): Promise<void>;
  /**
   * Ends it and returns its exit code, null after a signal.
   *
   * @param all whether the signal goes to all its processes at once, not only to the first
   */
  stop(signal: Deno.Signal, all?: boolean): Promise<number | null>;
  /** Outputs of the processes that have ended. */
  outputs: string[];
}

export interface ReplicaOptions {
  name: string;
  workers: number;
  http: number;
  grpc: number;
  database: DatabaseProxy;
  env: Record<string, string>;
  /** Module that Deno evaluates before the service. */
  preload?: string;
  /** Called when it has ended without having been asked to, before it is started again. */
  onSelfEnd(name: string, code: number | null): void;
}

const START_LIMIT_MS = 120_000;

export function createReplica({ env, preload, onSelfEnd, ...place }: ReplicaOptions): Replica {
  const { workers, http, grpc } = place;
  const outputs: string[] = [];
  let service: RunningService | undefined;
  const pids = async () => {
    if (!service) return [];
    return [service.pid, ...await childrenOf(service.pid).catch(() => [])];
  };
  const start = () =>
    eventually(async () => {
      const started = service = startService({
        ...env,
        HTTP_PORT: String(http),
        GRPC_PORT: String(grpc),
        ...(workers > 1 && { WORKERS: String(workers) }),
      }, { preload });
      await portsOf(started).catch(async (error) => {
        outputs.push(started.output(), (await started.exited()).stderr);
        throw error;
      });
      restartAfter(started);
    }, START_LIMIT_MS);
  const restartAfter = async (started: RunningService) => {
    const { code, output, stderr } = await started.exited();
    if (service !== started) return;
    outputs.push(output, stderr);
    onSelfEnd(place.name, code);
    await start();
  };
  const signalAll = async (signal: Deno.Signal) => {
    for (const pid of await pids()) {
      try {
        Deno.kill(pid, signal);
      } catch { /* it has ended */ }
    }
  };
  return {
    ...place,
    outputs,
    pids,
    start,
    signalAll,
    pid: () => service?.pid,
    async stop(signal, all = false) {
      const [stopped, processes] = [service, await pids()];
      const children = processes.slice(1);
      service = undefined;
      if (!stopped) return null;
      if (all) { for (const child of children) Deno.kill(child, signal); }
      const { code, output, stderr } = await stopped.stop(signal);
      outputs.push(output, stderr);
      // Workers end by themselves when their parent has been killed.
      await eventually(async () => {
        for (const pid of children) assert.equal(await isThere(pid), false);
      }, 30_000);
      return code;
    },
  };
}
