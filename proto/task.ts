// deno-lint-ignore-file no-console -- a task prints to its caller
/**
 * `deno task proto`: generates proto/gen and grpc/gen and updates the baseline, unless a change breaks a contract.
 * `deno task proto accept-break` accepts such a change. `deno task proto check`, a step of `deno task ok`, changes nothing.
 */
import { buf, generate, MODULES } from "./_buf.ts";

const BASELINE = "proto/baseline.binpb";

async function main(verb: string | undefined): Promise<number> {
  switch (verb) {
    case undefined:
      return await checkCompatible() && await update() ? 0 : 1;
    case "accept-break":
      return await update() ? 0 : 1;
    case "check":
      return await checkLint() && await checkCompatible() && await checkCurrent() ? 0 : 1;
    default:
      console.error(`Unknown argument ${verb}: deno task proto takes none, accept-break or check`);
      return 1;
  }
}

async function checkLint(): Promise<boolean> {
  for (const { source } of MODULES) if (!await buf("lint", source)) return false;
  return true;
}

async function checkCompatible(): Promise<boolean> {
  const compatible = await buf("breaking", "proto", "--against", BASELINE);
  if (!compatible) {
    console.error(
      "This change breaks a contract with clients. To accept it, run deno task proto accept-break",
    );
  }
  return compatible;
}

async function update(): Promise<boolean> {
  return await generate(".") && await writeImage(BASELINE);
}

/** Compares the committed files with those that `deno task proto` would write, and prints each difference. */
async function checkCurrent(): Promise<boolean> {
  const folder = await Deno.makeTempDir({ prefix: "customer-service-proto-" });
  try {
    if (!(await generate(folder) && await writeImage(`${folder}/${BASELINE}`))) return false;
    const [committed, generated] = await Promise.all([contents("."), contents(folder)]);
    const stale = [...new Set([...committed.keys(), ...generated.keys()])]
      .filter((path) => committed.get(path) !== generated.get(path));
    for (const path of stale) console.error(`${path} is not current: run deno task proto`);
    return stale.length === 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes all contracts as one file of descriptors, without comments, which may change freely. */
async function writeImage(path: string): Promise<boolean> {
  return await buf("build", "proto", "--exclude-source-info", "-o", path);
}

/** Content by path of everything that `deno task proto` writes into a folder. */
async function contents(root: string): Promise<Map<string, string>> {
  const files = new Map([[BASELINE, (await Deno.readFile(`${root}/${BASELINE}`)).toHex()]]);
  const visit = async (folder: string) => {
    for await (const entry of Deno.readDir(`${root}/${folder}`)) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) await visit(path);
      else files.set(path, await Deno.readTextFile(`${root}/${path}`));
    }
  };
  for (const { out } of MODULES) await visit(out);
  return files;
}

Deno.chdir(new URL("..", import.meta.url));
Deno.exit(await main(Deno.args[0]));
