/** Every package that deno.lock or vendor/ holds, and what the service has to do with it. */
import { z } from "zod";
import { askDeno, reach } from "./reach.ts";

const ROOT = new URL("../../", import.meta.url);

/**
 * CycloneDX's words: "required" is loaded when the service starts, "optional" is loaded only if it comes to that,
 * "excluded" is for development and tests alone.
 */
export type Scope = "required" | "optional" | "excluded";

export interface Package {
  name: string;
  version: string;
  scope: Scope;
  /** What package.json says, an SPDX expression if all is well; undefined for what only other platforms fetch. */
  licence: string | undefined;
  /** As `name@version`. */
  dependsOn: string[];
  /** Absent for vendored code. The integrity is the archive's, as npm writes it: `sha512-…` in base64. */
  npm?: { integrity: string; registry: string };
}

export function idOf({ name, version }: { name: string; version: string }): string {
  return `${name}@${version}`;
}

/** All packages, in the order of their names. Fails where deno.lock is not what deno.json asks for. */
export async function readPackages(): Promise<Package[]> {
  const info = await askDeno();
  const lock = Lock.parse(JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT))));
  const scopes: [Scope, Set<string>][] = [
    ["required", reach(info, { later: false })],
    ["optional", reach(info, { later: true })],
    ["excluded", new Set(Object.keys(info.npmPackages))],
  ];
  const found = new Map<string, Package>(); // a package with several sets of peers stands there once for each
  for (const [scope, keys] of scopes) {
    for (const key of keys) {
      const { name, version, dependencies, registryUrl: registry, localPath } = info.npmPackages[key]!;
      const id = idOf({ name, version });
      if (found.has(id)) continue;
      const integrity = lock.npm[key]?.integrity;
      if (!integrity) throw new Error(`Cannot read deno.lock: it holds no integrity of ${key}`);
      const licence = await licenceIn(localPath);
      const dependsOn = [...new Set(dependencies.map((other) => idOf(info.npmPackages[other]!)))];
      found.set(id, { name, version, scope, licence, dependsOn, npm: { integrity, registry } });
    }
  }
  return [...found.values(), ...await readVendored()].sort((a, b) => idOf(a) < idOf(b) ? -1 : 1);
}

const Lock = z.object({
  npm: z.record(z.string(), z.object({ integrity: z.string().startsWith("sha512-") })),
});
/** A licence that is missing, or told in the form of long ago, is an empty one: nobody allows that. */
export const Manifest = z.object({ name: z.string(), version: z.string(), license: z.string().catch("") });

async function licenceIn(folder: string): Promise<string | undefined> {
  const text = await Deno.readTextFile(`${folder}/package.json`).catch(() => undefined);
  return text === undefined ? undefined : Manifest.parse(JSON.parse(text)).license;
}

/** Each folder of vendor/ has a package.json that says what it is. */
async function readVendored(): Promise<Package[]> {
  const found: Package[] = [];
  for await (const { name: folder, isDirectory } of Deno.readDir(new URL("vendor/", ROOT))) {
    if (!isDirectory) continue;
    const text = await Deno.readTextFile(new URL(`vendor/${folder}/package.json`, ROOT));
    const { name, version, license } = Manifest.parse(JSON.parse(text));
    found.push({ name, version, licence: license, scope: "required", dependsOn: [] });
  }
  return found;
}
