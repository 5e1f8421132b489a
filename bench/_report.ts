/** Options and reports of benchmarks. */
import { type Better, formatRatio, type Spread } from "./_statistics.ts";

export { median, quantile } from "./_statistics.ts";

/** Result of a benchmark. */
export interface Report {
  /** Sizes of the run and what was skipped: one sentence each. */
  notes: string[];
  tables: Table[];
  plots?: Plot[];
  /** Comparisons for the summary of all benchmarks. */
  comparisons?: Comparison[];
}

export interface Table {
  title: string;
  head: string[];
  /** The first cell names the row. */
  rows: string[][];
}

/** Horizontal bars with the range of the rounds. */
export interface Plot {
  /** File name without its extension. */
  name: string;
  title: string;
  unit: string;
  better: Better;
  groups: { name: string; bars: Bar[] }[];
}

export interface Bar extends Spread {
  label: string;
  /** Whether it is this service. */
  isOurs: boolean;
}

/** Ratio of this service to an alternative. */
export interface Comparison {
  work: string;
  alternative: string;
  ratio: Spread;
  better: Better;
}

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
        `Cannot read the option ${arg}: expected ${
          Object.keys(defaults).map((name) => `--${name}=N`).join(" ")
        }`,
      );
    }
    read[name as Name] = Number(value);
  }
  return read;
}

/** Formats a report for a terminal. */
export function toText({ notes, tables }: Report): string {
  const parts = tables.map(({ title, head, rows }) => `${title}\n${table(head, rows)}`);
  return [...notes, ...parts].join("\n\n");
}

/** Formats a report as Markdown. */
export function toMarkdown({ notes, tables, plots = [] }: Report): string {
  const images = plots.map(({ name, title }) => `![${title}](images/performance/${name}.svg)`);
  return [
    ...notes,
    ...tables.map(({ title, head, rows }) => `${title}:\n\n${markdownTable(head, rows)}`),
    ...images,
  ].join("\n\n");
}

/** Formats the comparisons of all benchmarks as Markdown. */
export function summarize(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ work, alternative, ratio, better }) => [
    work,
    alternative,
    `${better === "higher" ? "≥" : "≤"} 1`,
    formatRatio(ratio.median, better),
    `${formatRatio(ratio.low, better)}–${formatRatio(ratio.high, better)}`,
  ]);
  return markdownTable(["work", "compared with", "better if", "median ratio", "range of the rounds"], rows);
}

function markdownTable(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, at) => at === 0 ? "---" : "---:")), ...rows.map(line)].join("\n");
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
  Deno.stderr.writeSync(new TextEncoder().encode(`\r${step.padEnd(70)}\r`));
}

/** Description of the machine, without which the results mean nothing. */
export async function describeMachine(): Promise<string> {
  const info = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const model = info.match(/^model name\s*: (.*)$/m)?.[1] ?? Deno.build.arch;
  const gigabytes = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  return `${navigator.hardwareConcurrency} × ${model}, ${gigabytes} GB, Deno ${Deno.version.deno}`;
}
