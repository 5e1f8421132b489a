/** All packages of deno.lock and vendor/, with their scope, license and integrity. */
import { z } from "zod";
import { reachablePackages, readDenoInfo } from "./reachable_packages.ts";

const ROOT = new URL("../../", import.meta.url);

/**
 * CycloneDX scopes: "required" is loaded when the service starts, "optional" is loaded later on demand, "excluded" is
 * for development and tests only.
 */
export type Scope = "required" | "optional" | "excluded";

export interface Package {
  name: string;
  version: string;
  scope: Scope;
  /** License in package.json, normally an SPDX expression; undefined for packages of other platforms. */
  license: string | undefined;
  /** As `name@version`. */
  dependsOn: string[];
  /** Absent for vendored code. The integrity is npm's hash of the archive: `sha512-…` in base64. */
  npm?: { integrity: string; registry: string };
}

export function idOf({ name, version }: { name: string; version: string }): string {
  return `${name}@${version}`;
}

/** All packages, ordered by name. Throws if deno.lock does not match deno.json. */
export async function readPackages(): Promise<Package[]> {
  const info = await readDenoInfo();
  const lock = Lock.parse(JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT))));
  const scopes: [Scope, Set<string>][] = [
    ["required", reachablePackages(info, { later: false })],
    ["optional", reachablePackages(info, { later: true })],
    ["excluded", new Set(Object.keys(info.npmPackages))],
  ];
  const packages = new Map<string, Package>(); // deno.lock has an entry for each set of peer dependencies
  for (const [scope, keys] of scopes) {
    for (const key of keys) {
      const { name, version, dependencies, registryUrl: registry, localPath } = info.npmPackages[key]!;
      const id = idOf({ name, version });
      if (packages.has(id)) continue;
      const integrity = lock.npm[key]?.integrity;
      if (!integrity) throw new Error(`Cannot read deno.lock: the integrity of ${key} is missing`);
      const license = await licenseIn(localPath);
      const dependsOn = [...new Set(dependencies.map((other) => idOf(info.npmPackages[other]!)))];
      packages.set(id, { name, version, scope, license, dependsOn, npm: { integrity, registry } });
    }
  }
  return [...packages.values(), ...await readVendored()].sort((a, b) => idOf(a) < idOf(b) ? -1 : 1);
}

const Lock = z.object({
  npm: z.record(z.string(), z.object({ integrity: z.string().startsWith("sha512-") })),
});
/** A missing license, or one in npm's old object form, becomes "", which is never allowed. */
export const Manifest = z.object({ name: z.string(), version: z.string(), license: z.string().catch("") });

async function licenseIn(folder: string): Promise<string | undefined> {
  const text = await Deno.readTextFile(`${folder}/package.json`).catch(() => undefined);
  return text === undefined ? undefined : Manifest.parse(JSON.parse(text)).license;
}

/** Reads the package.json in each folder of vendor/. */
async function readVendored(): Promise<Package[]> {
  const packages: Package[] = [];
  for await (const { name: folder, isDirectory } of Deno.readDir(new URL("vendor/", ROOT))) {
    if (!isDirectory) continue;
    const text = await Deno.readTextFile(new URL(`vendor/${folder}/package.json`, ROOT));
    const { name, version, license } = Manifest.parse(JSON.parse(text));
    packages.push({ name, version, license, scope: "required", dependsOn: [] });
  }
  return packages;
}
