/** Options and reports of benchmarks. */

/** Reads `--name=number` arguments over their defaults. */
export function options<Name extends string>(
  args: string[],
  defaults: Record<Name, number>,
): Record<Name, number> {
  const read = { ...defaults };
  for (const arg of args) {
    const [, name, value] = arg.match(/^--([\w-]+)=(\d+)$/) ?? [];
    if (name === undefined || !(name in defaults)) {
      throw new Error(
        `Unknown option ${arg}: expected ${Object.keys(defaults).map((name) => `--${name}=N`).join(" ")}`,
      );
    }
    read[name as Name] = Number(value);
  }
  return read;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** @param part fraction of the values: 0.95 for p95 */
export function quantile(values: number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? NaN;
}

/** Formats a table: the first column left-aligned, the others right-aligned. */
export function table(head: string[], rows: string[][]): string {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]!.length)));
  const line = (row: string[]) =>
    row.map((cell, at) => at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)).join("  ");
  return [head, ...rows].map(line).join("\n");
}

/** Prints the current step on a line that the next step overwrites, on standard error. */
export function printStep(step: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`\r${step.padEnd(60)}\r`));
}

/** Description of the machine, without which the results mean nothing. */
export async function describeMachine(): Promise<string> {
  const info = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const model = info.match(/^model name\s*: (.*)$/m)?.[1] ?? Deno.build.arch;
  const gigabytes = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  return `${navigator.hardwareConcurrency} × ${model}, ${gigabytes} GB, Deno ${Deno.version.deno}`;
}
