/** Holds code to linear time: CPU time of one input against that of one eight times as large. */
import assert from "node:assert/strict";
import process from "node:process";

/** How many times larger the second input is. */
const FACTOR = 8;
/** Linear time grows 8 times, quadratic time 64 times; what is in between is left to noise. */
const TOLERATED = 28;
/** Below this, in milliseconds, CPU times say nothing, and nothing is lost either. */
const FLOOR_MS = 4;
const RUNS = 2;

/**
 * @param what names the input in the failure
 * @param size of the smaller input, large enough for quadratic time to show: 8 times of it has to pass FLOOR_MS
 * @param run works on an input of the size; not measured: what it returns a function for is made before
 */
export async function assertLinear(
  what: string,
  size: number,
  run: Run,
): Promise<void> {
  // Growth is measured from FLOOR_MS on, so what stays below this cannot have grown too much.
  if (await measureOnce(size * FACTOR, run) <= TOLERATED * FLOOR_MS) return;
  await measure(size, run); // so that code is compiled
  const small = await measure(size, run);
  const large = await measure(size * FACTOR, run);
  const growth = large / Math.max(small, FLOOR_MS);
  const figures = `${small.toFixed(1)} ms for ${size}, ${large.toFixed(1)} ms for ${size * FACTOR}`;
  assert.ok(
    growth <= TOLERATED,
    `${what}: CPU time grows ${growth.toFixed(0)} times with 8 times the input (${figures})`,
  );
}

/** So many whole units as fit into `size` characters. A `$` in the unit is replaced by the number of each. */
export function filled(unit: string, size: number): string {
  if (!unit.includes("$")) return unit.repeat(size / unit.length);
  const parts: string[] = [];
  for (let length = 0;; length += parts.at(-1)!.length) {
    const part = unit.replace("$", parts.length.toString(36));
    if (length + part.length > size) return parts.join("");
    parts.push(part);
  }
}

type Run = (size: number) => (() => unknown) | Promise<() => unknown>;

/** CPU milliseconds of this process, the least of a few runs. */
async function measure(size: number, run: Run): Promise<number> {
  let least = Infinity;
  for (let at = 0; at < RUNS; at++) {
    least = Math.min(least, await measureOnce(size, run));
    if (least > 1_000) break; // slow enough to be sure
  }
  return least;
}

async function measureOnce(size: number, run: Run): Promise<number> {
  const work = await run(size);
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
