// deno-lint-ignore-file no-console -- a benchmark prints its results
/** Runs all benchmarks and writes docs/performance.md and its plots. */
import { BENCHMARKS } from "./_benchmarks.ts";
import { replaceRegion } from "./_document.ts";
import { drawPlot } from "./_plot.ts";
import { type Comparison, describeMachine, type Report, summarize, toMarkdown, toText } from "./_report.ts";
import { describeError } from "../lib/error_description.ts";

const DOCUMENT = new URL("../docs/performance.md", import.meta.url);
const IMAGES = new URL("../docs/images/performance/", import.meta.url);

/** Returns whether every benchmark has run. A region of the document keeps its content if its benchmark has failed. */
export async function runAll({ isFull }: { isFull: boolean }): Promise<boolean> {
  const from = performance.now();
  const comparisons: Comparison[] = [];
  const failed: string[] = [];
  for (const [name, { load, short, full = [] }] of BENCHMARKS) {
    const started = performance.now();
    try {
      const report = await (await load())(isFull ? full : short);
      console.log(`\n${name}, ${seconds(started)} s\n\n${toText(report)}`);
      comparisons.push(...report.comparisons ?? []);
      await write(name, report);
    } catch (error) {
      failed.push(name);
      console.error(`\n${name} has failed: ${describeError(error)}`);
    }
  }
  const sentences = [
    `Measured on ${
      new Date().toISOString().slice(0, 10)
    } on ${await describeMachine()}, which the load generators ` +
    `and PostgreSQL share, by \`deno task bench${isFull ? " --full" : ""}\` in ${minutes(from)} minutes.`,
    ...(failed.length > 0
      ? [`These benchmarks failed, so their results are older: ${failed.join(", ")}.`]
      : []),
  ];
  await edit("summary", `${sentences.join(" ")}\n\n${summarize(comparisons)}`);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", DOCUMENT.pathname] }).output();
  console.log(
    `\n${minutes(from)} minutes; docs/performance.md is written${
      failed.length > 0 ? `; failed: ${failed.join(", ")}` : ""
    }`,
  );
  return failed.length === 0;
}

async function write(name: string, report: Report): Promise<void> {
  await Deno.mkdir(IMAGES, { recursive: true });
  for (const plot of report.plots ?? []) {
    await Deno.writeTextFile(new URL(`${plot.name}.svg`, IMAGES), drawPlot(plot));
  }
  await edit(name, toMarkdown(report));
}

async function edit(region: string, content: string): Promise<void> {
  await Deno.writeTextFile(DOCUMENT, replaceRegion(await Deno.readTextFile(DOCUMENT), region, content));
}

const seconds = (from: number) => Math.ceil((performance.now() - from) / 1_000);
const minutes = (from: number) => ((performance.now() - from) / 60_000).toFixed(1);
