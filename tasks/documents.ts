// deno-lint-ignore-file no-console -- a task prints its result
/**
 * `deno task documents`: writes docs/openapi.json and docs/asyncapi.yaml, and refuses breaking changes of the API.
 * `deno task documents accept-break` accepts them. `check`, which `deno task ok` runs, changes nothing.
 */
import { stringify } from "yaml";
import { buf } from "../proto/_buf.ts";
import { describeApi } from "../rest/documents/openapi.ts";
import { createRoutes } from "../rest/mod.ts";
import type { RestOptions } from "../rest/options.ts";
import { describeTopics } from "./asyncapi.ts";
import { findBreaks } from "./openapi_breaks.ts";

const OPENAPI = "docs/openapi.json";
const ASYNCAPI = "docs/asyncapi.yaml";

async function main(verb: string | undefined): Promise<number> {
  if (verb !== undefined && verb !== "accept-break" && verb !== "check") {
    console.error(`Unknown argument ${verb}: deno task documents takes none, accept-break or check`);
    return 1;
  }
  const openapi = describeApi(createRoutes({} as RestOptions)); // describing routes needs no options
  const breaks = verb === "accept-break" ? [] : findBreaks(await committed(OPENAPI), openapi);
  for (const contractBreak of breaks) console.error(`${OPENAPI}: ${contractBreak}`);
  if (breaks.length > 0) {
    console.error(
      "This breaks the contract with callers. If this is intended: deno task documents accept-break",
    );
    return 1;
  }
  const documents = new Map([
    [OPENAPI, `${JSON.stringify(openapi, undefined, 2)}\n`],
    [ASYNCAPI, stringify(describeTopics(await readImage()), { lineWidth: 110 })],
  ]);
  return verb === "check" ? await check(documents) : await write(documents);
}

async function committed(path: string): Promise<unknown> {
  return JSON.parse(await Deno.readTextFile(path).catch(() => "{}"));
}

async function check(documents: ReadonlyMap<string, string>): Promise<number> {
  let stale = 0;
  for (const [path, text] of documents) {
    if (await Deno.readTextFile(path).catch(() => "") === text) continue;
    console.error(`${path} is not up to date: run deno task documents`);
    stale++;
  }
  return Math.min(stale, 1);
}

async function write(documents: ReadonlyMap<string, string>): Promise<number> {
  for (const [path, text] of documents) await Deno.writeTextFile(path, text);
  return 0;
}

/** Reads the proto files with their comments. */
async function readImage() {
  const path = await Deno.makeTempFile({ prefix: "customer-service-image-", suffix: ".json" });
  try {
    if (!(await buf("build", "proto", "-o", path))) throw new Error("buf cannot build the proto files");
    return JSON.parse(await Deno.readTextFile(path));
  } finally {
    await Deno.remove(path);
  }
}

Deno.exit(await main(Deno.args[0]));
