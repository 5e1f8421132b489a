/** Comparison of variants: measures all of them in each round, in random order, so that other work affects all. */
import { cpuMicroseconds, memory, type Serving } from "./_processes.ts";
import { type Bar, type Comparison, printStep } from "./_report.ts";
import {
  type Better,
  formatNumber,
  formatRatios,
  formatSpread,
  median,
  ratioOf,
  type Spread,
  spread,
} from "./_statistics.ts";
import type { LoadResult } from "./_timings.ts";

/** Name of this service in tables. */
export const OURS = "customer-service";

export interface Measured extends LoadResult {
  /** CPU microseconds per call. */
  serverCpu: number;
  postgresCpu: number;
  /** Resident memory of the server at the end, in megabytes. */
  resident: number;
}

/** Results by variant, one for each round. */
export type Rounds<Result> = Map<string, Result[]>;

/** Measures every variant in every round; the order changes. */
export async function runRounds<Result>(
  what: string,
  rounds: number,
  variants: readonly string[],
  measure: (variant: string) => Promise<Result>,
): Promise<Rounds<Result>> {
  const results: Rounds<Result> = new Map(variants.map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    const order = variants.map((name) => ({ name, at: Math.random() })).toSorted((a, b) => a.at - b.at);
    for (const { name } of order) {
      printStep(`${what}, round ${round} of ${rounds}: ${name}`);
      results.get(name)!.push(await measure(name));
    }
  }
  return results;
}

/** Runs a load generator and adds what the server and PostgreSQL spent. */
export async function measureServer<Result extends LoadResult>(
  server: Serving,
  postgresPid: number,
  load: (port: number) => Promise<Result>,
): Promise<Result & Measured> {
  const cpu = () => Promise.all([cpuMicroseconds(server.pid), cpuMicroseconds(postgresPid, true)]);
  const before = await cpu();
  const result = await load(server.port);
  if (result.p50 === null) throw new Error("Cannot measure: no call was due in the measured time");
  const [serverCpu, postgresCpu] = (await cpu()).map((spent, at) => (spent - before[at]!) / result.calls);
  const { resident } = await memory(server.pid);
  return { ...result, serverCpu: serverCpu!, postgresCpu: postgresCpu!, resident };
}

const HEAD = [
  ...["", "calls/s", "p50 ms", "p99 ms", "CPU µs/call", "PostgreSQL CPU µs/call", "MB", "failed"],
  "customer-service ÷ it",
];

/** Table of one load: medians, with the range of the figures that are compared. */
export function loadTable(title: string, rounds: Rounds<Measured>) {
  const ours = rounds.get(OURS)!;
  const rows = [...rounds].map(([name, results]) => {
    const of = (pick: (one: Measured) => number) => spread(results.map(pick));
    const middle = (pick: (one: Measured) => number) => formatNumber(median(results.map(pick)));
    return [
      name,
      formatSpread(of((one) => one.callsPerSecond)),
      middle((one) => one.p50),
      formatSpread(of((one) => one.p99)),
      formatSpread(of((one) => one.serverCpu)),
      middle((one) => one.postgresCpu),
      middle((one) => one.resident),
      String(results.reduce((sum, one) => sum + one.failed, 0)),
      name === OURS ? "–" : formatRatios(
        ratioOf(ours.map((one) => one.callsPerSecond), results.map((one) => one.callsPerSecond)),
        "higher",
      ),
    ];
  });
  return { title, head: HEAD, rows };
}

/** Bars of one figure. */
export function barsOf<Result>(rounds: Rounds<Result>, pick: (one: Result) => number): Bar[] {
  return [...rounds].map(([label, results]) => ({
    label,
    isOurs: label.startsWith(OURS),
    ...spread(results.map(pick)),
  }));
}

/** Compares a figure of this service with that of each alternative. */
export function compareRounds<Result>(
  work: string,
  rounds: Rounds<Result>,
  pick: (one: Result) => number,
  better: Better,
): Comparison[] {
  const ours = rounds.get(OURS)!.map(pick);
  return [...rounds].filter(([name]) => name !== OURS).map(([alternative, results]) => {
    const ratio: Spread = ratioOf(ours, results.map(pick));
    return { work, alternative, ratio, better };
  });
}
