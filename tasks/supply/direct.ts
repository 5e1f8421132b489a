/** What deno.json names by itself; everything else in deno.lock comes along. */
import deno from "../../deno.json" with { type: "json" };

export interface Direct {
  name: string;
  /** As it is written, which is exact if all is well. */
  version: string;
}

/** The npm packages of the import map, each once. */
export function readDirect(imports: Record<string, string> = deno.imports): Direct[] {
  const found = new Map<string, Direct>();
  for (const specifier of Object.values(imports)) {
    const [id, name, version = ""] = specifier.match(/^npm:\/?(@?[^@/]+(?:\/[^@/]+)?)(?:@([^/]*))?/) ?? [];
    if (id && name) found.set(`${name}@${version}`, { name, version });
  }
  return [...found.values()];
}
