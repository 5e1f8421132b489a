// deno-lint-ignore-file no-console -- a task prints its result
/**
 * `deno task supply`: checks the packages' licenses and advisories against tasks/supply/rules.ts. If no registry has
 * advisories it prints a message; with REQUIRE_ADVISORIES=1 it fails.
 */
import { type Advisory, findAdvisories, judge, NoAdvisories } from "./supply/advisories.ts";
import { fetchLicenses } from "./supply/registry_licenses.ts";
import { objection } from "./supply/licenses.ts";
import { idOf, type Package, readPackages } from "./supply/packages.ts";
import { ACCEPTED_ADVISORIES } from "./supply/rules.ts";

const packages = await fetchLicenses(await readPackages());
const wrong = [...checkLicenses(packages), ...await checkAdvisories(packages)];
for (const line of wrong) console.error(line);
if (wrong.length > 0) Deno.exit(1);

function checkLicenses(packages: Package[]): string[] {
  const unknown = packages.filter(({ license }) => license === undefined);
  // Packages that are not on this machine are not part of its builds.
  if (unknown.length > 0) {
    console.log(`Licenses of packages for other platforms, not checked: ${unknown.map(idOf).join(", ")}`);
  }
  const wrong = packages.flatMap((found) => {
    const reason = found.license === undefined ? undefined : objection(found.name, found.license);
    return reason ? [`${idOf(found)}: ${reason}`] : [];
  });
  if (wrong.length === 0) console.log(`Licenses: ${packages.length - unknown.length} packages, all allowed`);
  return wrong;
}

async function checkAdvisories(packages: Package[]): Promise<string[]> {
  const registry = packages.find(({ npm }) => npm)!.npm!.registry;
  let found: Advisory[];
  try {
    found = await findAdvisories(registry, packages);
  } catch (error) {
    if (!(error instanceof NoAdvisories)) throw error;
    if (Deno.env.get("REQUIRE_ADVISORIES") === "1") return [`${error.message} (REQUIRE_ADVISORIES=1)`];
    console.log(`Advisories were not checked: ${error.message}`);
    return [];
  }
  const wrong = judge(found, ACCEPTED_ADVISORIES, new Date().toISOString().slice(0, 10));
  if (wrong.length === 0) {
    console.log(`Advisories: ${found.length}, all accepted or of low severity`);
  }
  return wrong;
}
