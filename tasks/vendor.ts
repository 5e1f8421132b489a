// deno-lint-ignore-file no-console -- a task prints its result
/**
 * Vendored packages, rebuilt from what npm publishes.
 *
 * `deno task vendor` rebuilds vendor/ from the published files and our patches. `deno task vendor patch` writes the
 * patches after an edit in vendor/. `deno task vendor check`, which `deno task ok` runs, changes nothing.
 */
import { findDifferences, writePatches, writePublished } from "./vendor/packages.ts";

const VENDOR = new URL("../vendor/", import.meta.url).pathname;

async function main(verb: string | undefined): Promise<number> {
  switch (verb) {
    case undefined:
      await writePublished(VENDOR);
      return 0;
    case "patch":
      await writePatches(VENDOR);
      return 0;
    case "check": {
      const differences = await findDifferences(VENDOR);
      for (const difference of differences) console.error(difference);
      return differences.length === 0 ? 0 : 1;
    }
    default:
      console.error(`Unknown argument ${verb}: deno task vendor takes none, patch or check`);
      return 1;
  }
}

Deno.exitCode = await main(Deno.args[0]);
