/** Packages that main.ts imports, directly or indirectly, from the output of `deno info`. */
import { z } from "zod";

const Info = z.object({
  modules: z.array(z.object({
    specifier: z.string(),
    npmPackage: z.string().optional(),
    dependencies: z.array(z.object({
      code: z.object({ specifier: z.string() }).optional(),
      isDynamic: z.boolean().optional(),
    })).default([]),
  })),
  redirects: z.record(z.string(), z.string()),
  roots: z.tuple([z.string()]),
  npmPackages: z.record(
    z.string(),
    z.object({
      name: z.string(),
      version: z.string(),
      dependencies: z.array(z.string()),
      registryUrl: z.string(),
      localPath: z.string(),
    }),
  ),
});
export type Info = z.infer<typeof Info>;

/** Throws if deno.lock does not match deno.json. */
export async function readDenoInfo(): Promise<Info> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--frozen", "main.ts"],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(`Cannot list the packages: ${new TextDecoder().decode(stderr)}`);
  return Info.parse(JSON.parse(new TextDecoder().decode(stdout)));
}

/** Modules that every process of production loads, with `import()` so that the service is ready before. */
const LOADED_LATER = ["http.ts", "events/kafka_producer.ts"];

/**
 * Packages that main.ts reaches, as keys of deno.lock.
 *
 * @param later whether to follow all dynamic imports, in addition to those of every process
 */
export function reachablePackages(info: Info, { later }: { later: boolean }): Set<string> {
  const modules = new Map(info.modules.map((module) => [module.specifier, module]));
  const [main] = info.roots;
  const specifiers = new Set<string>([main, ...LOADED_LATER.map((path) => new URL(path, main).href)]);
  const packages = new Set<string>();
  for (const specifier of specifiers) {
    const module = modules.get(info.redirects[specifier] ?? specifier);
    if (module?.npmPackage) packages.add(module.npmPackage);
    for (const { code, isDynamic } of module?.dependencies ?? []) {
      if (code && (later || !isDynamic)) specifiers.add(code.specifier);
    }
  }
  for (const key of packages) info.npmPackages[key]?.dependencies.forEach((other) => packages.add(other));
  return packages;
}
