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
  /** Ends it and returns its exit code, null after a signal. */
  stop(signal: Deno.Signal): Promise<number | null>;
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
}

const START_LIMIT_MS = 120_000;

export function createReplica({ env, preload, ...place }: ReplicaOptions): Replica {
  const { workers, http, grpc } = place;
  const outputs: string[] = [];
  let service: RunningService | undefined;
  const pids = async () => {
    if (!service) return [];
    return [service.pid, ...await childrenOf(service.pid).catch(() => [])];
  };
  return {
    ...place,
    outputs,
    pids,
    pid: () => service?.pid,
    start: () =>
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
      }, START_LIMIT_MS),
    async signalAll(signal) {
      for (const pid of await pids()) {
        try {
          Deno.kill(pid, signal);
        } catch { /* it has ended */ }
      }
    },
    async stop(signal) {
      const [stopped, children] = [service, (await pids()).slice(1)];
      service = undefined;
      if (!stopped) return null;
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
