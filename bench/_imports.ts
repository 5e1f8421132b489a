/** What each import of the service costs, by package and by folder of our own. */
import { formatNumber, median } from "./_statistics.ts";

const ROOT = new URL("../", import.meta.url);
const RUNS = 5;
/** Costs below this, in milliseconds, are summed up. */
const SHOWN_MS = 2;

interface Module {
  specifier: string;
  dependencies?: { code?: { specifier: string }; isDynamic?: boolean }[];
}

interface Info {
  modules: Module[];
  redirects: Record<string, string>;
}

/** Rows of a table: the package or folder, its milliseconds, and when it is loaded. The most expensive come first. */
export async function importCosts(): Promise<string[][]> {
  const info: Info = JSON.parse(await output(["info", "--json", new URL("http.ts", ROOT).href]));
  const start: Info = JSON.parse(await output(["info", "--json", new URL("service.ts", ROOT).href]));
  const first = inOrder(start, new URL("service.ts", ROOT).href);
  const later = inOrder(info, new URL("http.ts", ROOT).href).filter((module) => !first.includes(module));
  const modules = [...first, ...later];
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, modules.join("\n"));
    const runs: number[][] = [];
    for (let run = 0; run < RUNS; run++) {
      const program = new URL("_import_costs.ts", import.meta.url).pathname;
      runs.push(
        JSON.parse(await output(["run", "-A", "--quiet", "--unstable-no-legacy-abort", program, file])),
      );
    }
    const costs = new Map<string, number>();
    for (const [at, module] of modules.entries()) {
      const key = `${groupOf(module)}|${at < first.length ? "at the start" : "when ready"}`;
      costs.set(key, (costs.get(key) ?? 0) + median(runs.map((run) => run[at]!)));
    }
    return toRows(costs);
  } finally {
    await Deno.remove(file);
  }
}

function toRows(costs: Map<string, number>): string[][] {
  const sorted = [...costs].toSorted(([, a], [, b]) => b - a);
  const rows = sorted.filter(([, cost]) => cost >= SHOWN_MS).map(([key, cost]) => {
    const [group = "", when = ""] = key.split("|");
    return [group, formatNumber(cost), when];
  });
  const others = sorted.filter(([, cost]) => cost < SHOWN_MS);
  const sum = (list: typeof sorted) => formatNumber(list.reduce((total, [, cost]) => total + cost, 0));
  const ofStart = sorted.filter(([key]) => key.endsWith("|at the start"));
  return [
    ...rows,
    [`${others.length} others`, sum(others), ""],
    ["total", sum(ofStart), "at the start"],
    ["total", sum(sorted.filter((one) => !ofStart.includes(one))), "when ready"],
  ];
}

/** Modules that a root imports statically, each after those that it imports. */
function inOrder({ modules, redirects }: Info, root: string): string[] {
  const known = new Map(modules.map((module) => [module.specifier, module]));
  const ordered = new Set<string>();
  const visited = new Set<string>();
  const visit = (from: string) => {
    const specifier = redirects[from] ?? from;
    if (visited.has(specifier) || specifier.startsWith("node:")) return;
    visited.add(specifier);
    for (
      const { code, isDynamic } of specifier.startsWith("npm:")
        ? []
        : known.get(specifier)?.dependencies ?? []
    ) {
      if (code?.specifier && !isDynamic) visit(code.specifier);
    }
    ordered.add(specifier);
  };
  visit(root);
  return [...ordered];
}

/** "zod" for a package, "db/" for a folder of our own. */
function groupOf(module: string): string {
  if (module.startsWith("npm:")) return module.match(/^npm:\/?(@[^/]+\/[^@/]+|[^@/]+)/)?.[1] ?? module;
  const path = module.slice(ROOT.href.length);
  return path.includes("/") ? `${path.split("/", 1)[0]}/` : "files at the top";
}

async function output(args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`Cannot measure the imports: ${text.decode(stderr)}`);
  return text.decode(stdout);
}
