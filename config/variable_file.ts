/** Reads files that variables name. No message quotes a path, because it may be a key or a token by mistake. */
import { ConfigError } from "./mod.ts";

/** Beginning of an error message: "Cannot read from Vault: VAULT_CACERT: …". */
export interface FileContext {
  failurePrefix: string;
  variable: string;
}

/** @throws {ConfigError} the file cannot be read */
export async function readVariableFile(path: string, context: FileContext): Promise<string> {
  return await Deno.readTextFile(path).catch((error) => {
    throw invalidFile(context, `cannot read the file: ${error instanceof Error ? error.name : "unknown"}`);
  });
}

/** @param reason must not quote the content of the file */
export function invalidFile({ failurePrefix, variable }: FileContext, reason: string): ConfigError {
  return new ConfigError(`${failurePrefix}: ${variable}: ${reason}`);
}
