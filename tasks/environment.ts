// deno-lint-ignore-file no-console -- a task prints its result
/** Environment of a task: the process's variables, and the missing ones from Vault. */
import type { Environment } from "../config/variables.ts";
import { readVault } from "../config/vault.ts";

/** @param variables names of the variables that the task reads; by default all */
export async function readEnvironment(variables?: readonly string[]): Promise<Environment> {
  const env = Deno.env.toObject();
  const report = (text: string) => console.error(text);
  return { ...env, ...await readVault(env, variables ? { report, variables } : { report }) };
}
