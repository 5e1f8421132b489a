// deno-lint-ignore-file no-console -- a task speaks to whoever runs it
/** The environment that a task works with: what it is given, and what Vault has beside. */
import type { Environment } from "../config/variables.ts";
import { readVault } from "../config/vault.ts";

/** @param wanted the variables that the task reads; absent: all */
export async function readEnvironment(wanted?: readonly string[]): Promise<Environment> {
  const env = Deno.env.toObject();
  const tell = (text: string) => console.error(text);
  return { ...env, ...await readVault(env, wanted ? { tell, wanted } : { tell }) };
}
