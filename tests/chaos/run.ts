// deno-lint-ignore-file no-console -- a task prints its result
/**
 * `deno task chaos`: runs replicas, PostgreSQL, Kafka and clients on this machine while faults are injected, and checks
 * what is promised. `deno task chaos check FOLDER` repeats the checks of a run. Exits with 1 if a promise is broken.
 * Linux only.
 */
import { parseArgs } from "node:util";
import { checkEvidence } from "./check.ts";
import { KafkaMissing } from "../kafka/installation.ts";
import { FAULTS } from "./faults.ts";
import { readEvidence } from "./history.ts";
import { writeReport } from "./report.ts";
import { runSuite, type Suite } from "./suite.ts";
import { SUITES } from "./suites.ts";

const INTERRUPTED = 130;
const HELP = `Injects faults into a service on this machine and checks what it promises.

  deno task chaos                  random faults, one at a time, for four minutes
  deno task chaos check FOLDER     checks a run again that was kept under .data/chaos/

  --suite NAME   ${Object.keys(SUITES).join(", ")}
  --seed N       repeats the choices of a run; by default a random number
  --minutes N    how long random faults are injected
  --pairs        two random faults at a time
  --only TEXT    random faults whose name contains the text`;

const { values, positionals } = parseArgs({
  options: {
    suite: { type: "string", default: "random" },
    seed: { type: "string" },
    minutes: { type: "string", default: "4" },
    pairs: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    help: { type: "boolean", short: "h", default: false },
  },
  allowPositionals: true,
});

async function main(): Promise<number> {
  const [verb, folder] = positionals;
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (verb === "check" && folder && positionals.length === 2) return await check(folder);
  const seed = Number(values.seed ?? crypto.getRandomValues(new Uint16Array(1))[0]);
  const minutes = Number(values.minutes);
  const createSuite = SUITES[values.suite];
  const kinds = FAULTS.filter(({ name }) => name.includes(values.only));
  const isWrong = positionals.length > 0 || kinds.length === 0 || !Number.isInteger(seed) || seed < 0;
  if (isWrong || !createSuite || !(minutes > 0)) {
    console.error(HELP);
    return 2;
  }
  if (Deno.build.os !== "linux") {
    console.error("Cannot inject faults: suspending processes requires Linux");
    return 2;
  }
  await using stack = new AsyncDisposableStack();
  return await run(await createSuite({ minutes, lanes: values.pairs ? 2 : 1, kinds, stack }), seed);
}

async function run(suite: Suite, seed: number): Promise<number> {
  const startedAt = Date.now();
  const time = new Date(startedAt).toISOString().slice(0, 19).replaceAll(":", "");
  const folder = `.data/chaos/${time}-${suite.name}-${seed}`;
  console.log(`Suite ${suite.name}, seed ${seed}; everything is kept in ${folder}`);
  const print = (line: string) => {
    console.log(`${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
  };
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interrupted.abort());
  }
  try {
    await runSuite(suite, { seed, folder, print, signal: interrupted.signal });
  } catch (error) {
    if (interrupted.signal.aborted) return INTERRUPTED;
    if (!(error instanceof KafkaMissing)) throw error;
    console.error(error.message);
    return 2;
  }
  return await check(folder);
}

async function check(folder: string): Promise<number> {
  const checked = await checkEvidence(await readEvidence(folder));
  console.log(writeReport(checked));
  console.log(`The evidence is in ${folder}`);
  return checked.findings.length > 0 ? 1 : 0;
}

Deno.exit(await main());
