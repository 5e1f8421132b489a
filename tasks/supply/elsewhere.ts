/** What the registry says of packages that this machine has not fetched, because they are for other platforms. */
import { Manifest, type Package } from "./packages.ts";

const LIMIT_MS = 10_000;

/** The same packages, with the licences that the registry tells of those that lie nowhere here. */
export async function askLicences(packages: readonly Package[]): Promise<Package[]> {
  return await Promise.all(packages.map(async (found) => {
    if (found.licence !== undefined || !found.npm) return found;
    return { ...found, licence: await licenceAt(`${found.npm.registry}${found.name}/${found.version}`) };
  }));
}

/** Undefined where the registry does not answer. */
async function licenceAt(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) });
    return response.ok ? Manifest.parse(await response.json()).license : undefined;
  } catch {
    return undefined;
  }
}
