// deno-lint-ignore-file no-console -- a benchmark prints its results
/**
 * `deno task bench NAME [--option=N …]`: runs one benchmark and prints its results. `deno task bench` runs all of them,
 * and writes the results and plots to docs/; `--full` includes the sizes that take longer.
 */
import { runAll } from "./_all.ts";
import { BENCHMARKS } from "./_benchmarks.ts";
import { describeMachine, toText } from "./_report.ts";

const [name, ...args] = Deno.args;
const benchmark = BENCHMARKS.get(name ?? "");
if (benchmark) {
  console.log(`${await describeMachine()}\n\n${toText(await (await benchmark.load())(args))}`);
} else if (name === undefined || name === "--full") {
  if (!await runAll({ isFull: name === "--full" })) Deno.exit(1);
} else {
  console.error(
    `deno task bench [--full]\ndeno task bench <${[...BENCHMARKS.keys()].join("|")}> [--option=N …]`,
  );
  Deno.exit(1);
}
Deno.exit(); // kafkajs keeps timers
