/**
 * `deno task sbom [--version=1.2.3] [--development]`: prints the service's bill of materials, CycloneDX 1.6 in JSON.
 * --development adds the packages of development and tests. Its timestamp is SOURCE_DATE_EPOCH, in seconds.
 */
import { parseArgs } from "node:util";
import { writeBom } from "./supply/bom.ts";
import { readPackages } from "./supply/packages.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: { version: { type: "string" }, development: { type: "boolean", default: false } },
});
const packages = await readPackages();
const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
const text = writeBom(packages.filter(({ scope }) => values.development || scope !== "excluded"), {
  deno: Deno.version.deno,
  ...(values.version !== undefined && { version: values.version }),
  ...(epoch !== undefined && { made: new Date(Number(epoch) * 1_000) }),
});
await new Blob([text]).stream().pipeTo(Deno.stdout.writable);
