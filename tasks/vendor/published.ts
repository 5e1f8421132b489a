/** Packages as npm publishes them, fetched and verified by Deno, which keeps them in its cache. */
import { join } from "node:path";
import { z } from "zod";

const Info = z.object({
  npmPackages: z.record(z.string(), z.object({ localPath: z.string() })),
});

export interface FetchOptions {
  /** Throw where vendor/npm.lock lacks a package. Otherwise it is added. */
  frozen: boolean;
  /** Variables for Deno in addition to those of this process. */
  env?: Record<string, string> | undefined;
}

/**
 * The folder of each package, by `name@version`. Deno verifies every archive that it fetches against the SHA-512
 * in vendor/npm.lock, and needs the registry only for packages that its cache lacks.
 */
export async function publishedFolders(
  vendor: string,
  packages: readonly string[],
  { frozen, env }: FetchOptions,
): Promise<Map<string, string>> {
  const specifiers = packages.map((name) => `npm:${name}`);
  const lock = ["--no-config", `--lock=${join(vendor, "npm.lock")}`, `--frozen=${frozen}`];
  await deno(["cache", "--quiet", ...lock, ...specifiers], env);
  const { npmPackages } = Info.parse(
    JSON.parse(await deno(["info", "--json", ...lock, specifiers[0]!], env)),
  );
  return new Map(packages.map((name) => {
    const npmPackage = npmPackages[name];
    if (!npmPackage) throw new Error(`Cannot vendor ${name}: Deno did not resolve it`);
    return [name, npmPackage.localPath];
  }));
}

async function deno(args: string[], env: Record<string, string> = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1", ...env },
  }).output();
  if (!success) throw new Error(`Cannot fetch vendored packages: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
