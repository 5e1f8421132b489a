/** Files that variables name. No message repeats a path: it may be the key or the token itself, in the file's place. */
import { ConfigError } from "./mod.ts";

/** What to say of a file: "Cannot ask Vault: VAULT_CACERT: …". */
export interface Named {
  purpose: string;
  variable: string;
}

/** @throws {ConfigError} the file cannot be read */
export async function readNamed(path: string, named: Named): Promise<string> {
  return await Deno.readTextFile(path).catch((error) => {
    throw wrong(named, `cannot read the file: ${error instanceof Error ? error.name : "unknown"}`);
  });
}

/** @param why without anything of what the file holds */
export function wrong({ purpose, variable }: Named, why: string): ConfigError {
  return new ConfigError(`${purpose}: ${variable}: ${why}`);
}
