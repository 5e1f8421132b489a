// deno-lint-ignore-file no-console -- a benchmark prints its results
/** `deno task bench <name> [--option=N …]`: runs the benchmark in the file of that name. */
const [name, ...args] = Deno.args;
const BENCHMARKS: Record<string, () => Promise<(args: string[]) => Promise<void>>> = {
  lookups: async () => (await import("./lookups.ts")).lookups,
  commands: async () => (await import("./commands.ts")).commands,
  erasure: async () => (await import("./erasure.ts")).erasure,
  footprint: async () => (await import("./footprint.ts")).footprint,
  inspector: async () => (await import("./inspector.ts")).inspector,
  rest: async () => (await import("./rest.ts")).rest,
  search: async () => (await import("./search.ts")).search,
  bulk: async () => (await import("./bulk.ts")).bulk,
  relay: async () => (await import("./relay.ts")).relay,
};

const load = BENCHMARKS[name ?? ""];
if (!load) {
  console.error(`deno task bench <${Object.keys(BENCHMARKS).join("|")}> [--option=N …]`);
  Deno.exit(1);
}
await (await load())(args);
