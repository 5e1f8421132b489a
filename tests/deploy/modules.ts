/** Module graph of a file, from `deno info`. */

const ROOT = new URL("../../", import.meta.url);

/** Modules whose dynamic imports are those of development. */
const DEVELOPMENT = ["development.ts", "auth/mod.ts"].map((path) => new URL(path, ROOT).href);

/** Our files that a module imports, directly or indirectly, except those that only development loads. */
export async function modules(entry: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: ROOT,
    stderr: "null",
  }).output();
  const graph = JSON.parse(new TextDecoder().decode(stdout)) as { modules: Module[] };
  const reached = new Set([new URL(entry, ROOT).href]);
  for (const specifier of reached) {
    const found = graph.modules.find((module) => module.specifier === specifier);
    for (const { isDynamic, code } of found?.dependencies ?? []) {
      if (isDynamic && DEVELOPMENT.includes(specifier)) continue;
      if (code?.specifier.startsWith(ROOT.href)) reached.add(code.specifier);
    }
  }
  return [...reached].map((specifier) => specifier.slice(ROOT.href.length));
}

interface Module {
  specifier: string;
  dependencies?: { isDynamic?: boolean; code?: { specifier: string } }[];
}
