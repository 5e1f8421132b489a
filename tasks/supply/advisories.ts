/**
 * Security advisories of the locked packages, from the registry endpoint that `npm audit` uses. `deno audit` uses it too,
 * but its `--ignore` does not work (https://github.com/denoland/deno/issues/36338).
 */
import { satisfies } from "semver";
import { z } from "zod";
import type { AcceptedAdvisory } from "./rules.ts";

/** The registry does not respond or has no advisory endpoint, so nothing is known. */
export class NoAdvisories extends Error {
  override name = "NoAdvisories";
}

const Answer = z.record(
  z.string(),
  z.array(z.object({
    id: z.number(),
    url: z.string(),
    title: z.string(),
    severity: z.string(),
    vulnerable_versions: z.string(),
  })),
);

export interface Advisory {
  /** `GHSA-…`, or the registry's number if the URL contains none. */
  id: string;
  package: string;
  version: string;
  title: string;
  severity: string;
  url: string;
}

/** Advisories of exactly these versions. @throws {NoAdvisories} */
export async function findAdvisories(
  registry: string,
  packages: readonly { name: string; version: string }[],
): Promise<Advisory[]> {
  const versions: Record<string, string[]> = {};
  for (const { name, version } of packages) (versions[name] ??= []).push(version);
  const advisories = await fetchAdvisories(new URL("-/npm/v1/security/advisories/bulk", registry), versions);
  return Object.entries(advisories).flatMap(([name, advisories]) =>
    advisories.flatMap(({ id, url, title, severity, vulnerable_versions: range }) =>
      (versions[name] ?? [])
        .filter((version) => satisfies(version, range, { includePrerelease: true }))
        .map((version) => {
          const ghsa = url.match(/GHSA(-[0-9a-z]{4}){3}/)?.[0];
          return { id: ghsa ?? String(id), package: name, version, title, severity, url };
        })
    )
  );
}

async function fetchAdvisories(url: URL, versions: Record<string, string[]>) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(versions),
    signal: AbortSignal.timeout(20_000),
  }).catch((cause) => {
    throw new NoAdvisories(`${url.origin} cannot be reached: ${cause.message}`, { cause });
  });
  const text = await response.text().catch(() => "");
  if (!response.ok) throw new NoAdvisories(`${url.origin} has no advisories: it returns ${response.status}`);
  try {
    return Answer.parse(JSON.parse(text));
  } catch (cause) {
    throw new NoAdvisories(`${url.origin} returns something else than advisories`, { cause });
  }
}

const HARMLESS = ["info", "low", "moderate"];

/** Problems on a day such as 2026-11-30: severe advisories that are not accepted, and acceptances without a use. */
export function judge(
  advisories: readonly Advisory[],
  accepted: readonly AcceptedAdvisory[],
  today: string,
): string[] {
  const severe = advisories.filter(({ severity }) => !HARMLESS.includes(severity));
  const covers = (row: AcceptedAdvisory, found: Advisory) =>
    row.id === found.id && row.package === found.package;
  const wrong = severe.flatMap((found) => {
    const row = accepted.find((row) => covers(row, found));
    if (row && row.until >= today) return [];
    const was = row ? `; accepted until ${row.until}, which has passed` : "";
    return [`${found.package}@${found.version}: ${found.severity}: ${found.title} (${found.url})${was}`];
  });
  const idle = accepted.filter((row) => !severe.some((found) => covers(row, found)));
  return [
    ...wrong,
    ...idle.map(({ id }) => `${id} is accepted in tasks/supply/rules.ts but affects no package`),
  ];
}
