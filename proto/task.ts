// deno-lint-ignore-file no-console -- a task speaks to whoever runs it
/**
 * `deno task proto`: generates proto/gen and grpc/gen, and renews the baseline, unless the change breaks a contract.
 * `deno task proto accept-break` does so even then. `deno task proto check` is the gate's part: it changes nothing.
 */
import { buf, generate, MODULES } from "./_buf.ts";

const BASELINE = "proto/baseline.binpb";

async function main(verb: string | undefined): Promise<number> {
  switch (verb) {
    case undefined:
      return await unbroken() && await renew() ? 0 : 1;
    case "accept-break":
      return await renew() ? 0 : 1;
    case "check":
      return await linted() && await unbroken() && await current() ? 0 : 1;
    default:
      console.error(`deno task proto does not know ${verb}: say nothing, accept-break or check`);
      return 1;
  }
}

async function linted(): Promise<boolean> {
  for (const { source } of MODULES) if (!await buf("lint", source)) return false;
  return true;
}

async function unbroken(): Promise<boolean> {
  const compatible = await buf("breaking", "proto", "--against", BASELINE);
  if (!compatible) {
    console.error(
      "This breaks a contract that callers rely on. If it is meant: deno task proto accept-break",
    );
  }
  return compatible;
}

async function renew(): Promise<boolean> {
  return await generate(".") && await writeImage(BASELINE);
}

/** Whether the committed files are what `deno task proto` would write now. */
async function current(): Promise<boolean> {
  const folder = await Deno.makeTempDir({ prefix: "customer-service-proto-" });
  try {
    if (!(await generate(folder) && await writeImage(`${folder}/${BASELINE}`))) return false;
    const [committed, wanted] = await Promise.all([contents("."), contents(folder)]);
    const stale = [...new Set([...committed.keys(), ...wanted.keys()])]
      .filter((path) => committed.get(path) !== wanted.get(path));
    for (const path of stale) console.error(`${path} is not current: run deno task proto`);
    return stale.length === 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The contracts as one file of descriptors. Comments may change freely, so they stay out. */
async function writeImage(path: string): Promise<boolean> {
  return await buf("build", "proto", "--exclude-source-info", "-o", path);
}

/** Everything that `deno task proto` writes below a folder, by path and content. */
async function contents(root: string): Promise<Map<string, string>> {
  const found = new Map([[BASELINE, (await Deno.readFile(`${root}/${BASELINE}`)).toHex()]]);
  const visit = async (folder: string) => {
    for await (const entry of Deno.readDir(`${root}/${folder}`)) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) await visit(path);
      else found.set(path, await Deno.readTextFile(`${root}/${path}`));
    }
  };
  for (const { out } of MODULES) await visit(out);
  return found;
}

Deno.chdir(new URL("..", import.meta.url));
Deno.exit(await main(Deno.args[0]));
