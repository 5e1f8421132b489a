/** Probes of a run: what `/readyz` answers, and how much memory the replicas use. */
import type { Line } from "./history.ts";
import { pause } from "./schedule.ts";
import type { Stack } from "./stack.ts";

const READY_EVERY_MS = 500;
const READY_LIMIT_MS = 4_000;
const MEMORY_EVERY_MS = 10_000;

/** Asks until disposal. */
export function startProbes({ replicas }: Stack, record: (line: Line) => void): AsyncDisposable {
  const ending = new AbortController();
  const asking = replicas.map(async ({ name, http }) => {
    while (!ending.signal.aborted) {
      const at = Date.now();
      const status = await readyz(http);
      record({ kind: "ready", at, replica: name, ...(status !== undefined && { status }) });
      await pause(READY_EVERY_MS);
    }
  });
  const measuring = (async () => {
    for (let round = 0; !ending.signal.aborted; round++) {
      if (round % (MEMORY_EVERY_MS / READY_EVERY_MS) === 0) {
        const residentMiB: Record<string, number> = {};
        for (const replica of replicas) {
          const sizes = await Promise.all((await replica.pids()).map(residentMemory));
          residentMiB[replica.name] = sizes.reduce((sum, size) => sum + size, 0);
        }
        record({ kind: "resources", at: Date.now(), residentMiB });
      }
      await pause(READY_EVERY_MS);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      ending.abort();
      await Promise.all([...asking, measuring]);
    },
  };
}

async function readyz(port: number): Promise<number | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`, {
      signal: AbortSignal.timeout(READY_LIMIT_MS),
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}

async function residentMemory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  return Math.round(Number(status.match(/VmRSS:\s+(\d+) kB/)?.[1] ?? 0) / 1_024);
}
