/** Asserts linear time: compares the CPU time of an input with that of one eight times as large. */
import assert from "node:assert/strict";
import process from "node:process";

/** Size of the second input relative to the first. */
const FACTOR = 8;
/** Linear time grows 8 times, quadratic time 64 times. The limit between them leaves room for noise. */
const TOLERATED = 28;
/** CPU times below this, in milliseconds, are too short to compare and harmless. */
const FLOOR_MS = 4;
const RUNS = 2;
/** The CPU time includes that of other test files in the process, so a failure counts if it is repeated. */
const ATTEMPTS = 3;

/**
 * @param what description of the input for the error message
 * @param size of the smaller input; 8 times it must take longer than FLOOR_MS in quadratic time
 * @param run prepares an input of the size, and returns the function to measure
 */
export async function assertLinear(
  what: string,
  size: number,
  run: Run,
): Promise<void> {
  // Growth is relative to at least FLOOR_MS, so a time below this cannot have grown too much.
  if (await measureOnce(size * FACTOR, run) <= TOLERATED * FLOOR_MS) return;
  await measure(size, run); // warms up the JIT
  const failures: string[] = [];
  while (failures.length < ATTEMPTS) {
    const small = await measure(size, run);
    const large = await measure(size * FACTOR, run);
    const growth = large / Math.max(small, FLOOR_MS);
    if (growth <= TOLERATED) return;
    const figures = `${small.toFixed(1)} ms for ${size}, ${large.toFixed(1)} ms for ${size * FACTOR}`;
    failures.push(`${growth.toFixed(0)} times with 8 times the input (${figures})`);
  }
  assert.fail(`${what}: CPU time grows ${failures.join(", and again ")}`);
}

/** Repeats the unit up to `size` characters. A `$` in the unit is replaced by its index. */
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

/** Minimum CPU milliseconds of a few runs. */
async function measure(size: number, run: Run): Promise<number> {
  let minimum = Infinity;
  for (let count = 0; count < RUNS; count++) {
    minimum = Math.min(minimum, await measureOnce(size, run));
    if (minimum > 1_000) break; // slow enough to be sure
  }
  return minimum;
}

async function measureOnce(size: number, run: Run): Promise<number> {
  const work = await run(size);
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
