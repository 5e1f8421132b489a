/** Parses YAML files of deploy/. */
import { parseAllDocuments } from "yaml";

const ROOT = new URL("../../", import.meta.url);

// deno-lint-ignore no-explicit-any -- whatever stands in the file
export type Loose = any;

/** The documents of a file of this repository. */
export async function readYaml(path: string): Promise<Loose[]> {
  const documents = parseAllDocuments(await readText(path), { merge: true, uniqueKeys: true });
  return documents.map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem) throw new Error(`${path}: ${problem.message}`);
    return document.toJS();
  });
}

export async function readText(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(new URL(path, ROOT)).then(() => true, () => false);
}
