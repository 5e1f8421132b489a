/** Direct dependencies: the packages in deno.json. All others in deno.lock are transitive. */
import deno from "../../deno.json" with { type: "json" };

export interface Direct {
  name: string;
  /** As written in deno.json; it should be an exact version. */
  version: string;
}

/** The npm packages of the import map, each once. */
export function readDirect(imports: Record<string, string> = deno.imports): Direct[] {
  const dependencies = new Map<string, Direct>();
  for (const specifier of Object.values(imports)) {
    const [id, name, version = ""] = specifier.match(/^npm:\/?(@?[^@/]+(?:\/[^@/]+)?)(?:@([^/]*))?/) ?? [];
    if (id && name) dependencies.set(`${name}@${version}`, { name, version });
  }
  return [...dependencies.values()];
}
