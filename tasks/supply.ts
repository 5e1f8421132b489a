// deno-lint-ignore-file no-console -- a task speaks to whoever runs it
/**
 * `deno task supply`: holds the packages' licences and known faults against tasks/supply/rules.ts. Where no
 * registry tells of faults it says so and goes on; with REQUIRE_ADVISORIES=1 that is a failure.
 */
import { type Advisory, findAdvisories, judge, NoAdvisories } from "./supply/advisories.ts";
import { askLicences } from "./supply/elsewhere.ts";
import { objection } from "./supply/licences.ts";
import { idOf, type Package, readPackages } from "./supply/packages.ts";
import { ACCEPTED_ADVISORIES } from "./supply/rules.ts";

const packages = await askLicences(await readPackages());
const wrong = [...checkLicences(packages), ...await checkAdvisories(packages)];
for (const line of wrong) console.error(line);
if (wrong.length > 0) Deno.exit(1);

function checkLicences(packages: Package[]): string[] {
  const unknown = packages.filter(({ licence }) => licence === undefined);
  // What is not on this machine is no part of what it builds.
  if (unknown.length > 0) {
    console.log(`Licences not read, of other platforms: ${unknown.map(idOf).join(", ")}`);
  }
  const wrong = packages.flatMap((found) => {
    const why = found.licence === undefined ? undefined : objection(found.name, found.licence);
    return why ? [`${idOf(found)}: ${why}`] : [];
  });
  if (wrong.length === 0) console.log(`Licences: ${packages.length - unknown.length} packages, all allowed`);
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
    console.log(`Advisories are not checked: ${error.message}`);
    return [];
  }
  const wrong = judge(found, ACCEPTED_ADVISORIES, new Date().toISOString().slice(0, 10));
  if (wrong.length === 0) {
    console.log(`Advisories: ${found.length}, none of them severe and not accepted`);
  }
  return wrong;
}
