/** Reads licenses from the registry, for packages of other platforms, which this machine has not downloaded. */
import { Manifest, type Package } from "./packages.ts";

const LIMIT_MS = 10_000;

/** Adds the registry's licenses to packages that are not on this machine. */
export async function fetchLicenses(packages: readonly Package[]): Promise<Package[]> {
  return await Promise.all(packages.map(async (found) => {
    if (found.license !== undefined || !found.npm) return found;
    return { ...found, license: await fetchLicense(`${found.npm.registry}${found.name}/${found.version}`) };
  }));
}

/** Undefined if the registry does not respond. */
async function fetchLicense(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) });
    return response.ok ? Manifest.parse(await response.json()).license : undefined;
  } catch {
    return undefined;
  }
}
