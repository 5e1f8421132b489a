/** All benchmarks, in the order of docs/performance.md. */
import type { Report } from "./_report.ts";

export interface Benchmark {
  load(): Promise<(args: string[]) => Promise<Report>>;
  /** Options of the run of all benchmarks, which takes less than fifteen minutes on two cores. */
  short: string[];
  /** Options of the full run, by default those of the benchmark. */
  full?: string[];
}

export const BENCHMARKS: ReadonlyMap<string, Benchmark> = new Map<string, Benchmark>([
  ["lookups", { load: async () => (await import("./lookups.ts")).lookups, short: ["--seconds=2"] }],
  ["graphql", { load: async () => (await import("./graphql.ts")).graphql, short: ["--seconds=3"] }],
  ["commands", { load: async () => (await import("./commands.ts")).commands, short: ["--seconds=4"] }],
  ["bulk", { load: async () => (await import("./bulk.ts")).bulk, short: ["--rows=5000", "--sample=500"] }],
  ["relay", {
    load: async () => (await import("./relay.ts")).relay,
    short: ["--rows=30000", "--keys=15000"],
  }],
  [
    "growth",
    {
      load: async () => (await import("./growth.ts")).growth,
      short: ["--rounds=2", "--seconds=2"],
      full: ["--full=1"],
    },
  ],
  ["footprint", {
    load: async () => (await import("./footprint.ts")).footprint,
    short: ["--runs=4", "--idle=2", "--seconds=3"],
  }],
  ["rest", {
    load: async () => (await import("./rest.ts")).rest,
    short: ["--customers=20000", "--seconds=2", "--rounds=3"],
  }],
  ["erasure", {
    load: async () => (await import("./erasure.ts")).erasure,
    short: ["--erasures=500", "--more=0"],
  }],
  [
    "inspector",
    {
      load: async () => (await import("./inspector.ts")).inspector,
      short: ["--requests=20000", "--rounds=15"],
    },
  ],
  [
    "search",
    {
      load: async () => (await import("./search.ts")).search,
      short: ["--customers=200000", "--rounds=3", "--plans=0"],
      full: ["--plans=0"],
    },
  ],
  ["retention", {
    load: async () => (await import("./retention.ts")).retention,
    short: ["--commands=5000", "--erasures=100", "--accounts=100"],
  }],
]);
