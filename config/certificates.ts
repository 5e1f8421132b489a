/** PEM files that the configuration names. TLS takes whatever it is given, and fails later without a reason. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { ConfigError } from "./mod.ts";

/** What to say of a file: "Cannot ask Vault: VAULT_CACERT: …". */
interface Named {
  purpose: string;
  variable: string;
}

/**
 * The text of a file with the certificates of authorities.
 *
 * @throws {ConfigError} the file cannot be read, or begins with no certificate
 */
export async function readAuthority(path: string, named: Named): Promise<string> {
  const pem = await readPem(path, named);
  parse(path, "a certificate", named, () => new X509Certificate(pem));
  return pem;
}

/**
 * A certificate and its key, as texts.
 *
 * @throws {ConfigError} a file cannot be read or holds something else, or the two do not belong together
 */
export async function readIdentity(
  paths: { certificate: string; key: string },
  purpose: string,
  variables: { certificate: string; key: string },
): Promise<{ certificate: string; key: string }> {
  const named = { purpose, variable: variables.certificate };
  const keyNamed = { purpose, variable: variables.key };
  const [certificate, key] = [await readPem(paths.certificate, named), await readPem(paths.key, keyNamed)];
  const own = parse(paths.certificate, "a certificate", named, () => new X509Certificate(certificate));
  const ownKey = parse(paths.key, "a private key", keyNamed, () => createPrivateKey(key));
  if (!own.checkPrivateKey(ownKey)) throw wrong(named, `it is not for the key in ${paths.key}`);
  return { certificate, key };
}

async function readPem(path: string, named: Named): Promise<string> {
  return await Deno.readTextFile(path).catch((error) => {
    throw wrong(named, `cannot read ${path}: ${error instanceof Error ? error.name : error}`);
  });
}

function parse<T>(path: string, what: string, named: Named, read: () => T): T {
  try {
    return read();
  } catch { // whose message may quote the file
    throw wrong(named, `expected a file with ${what} in PEM form: ${path}`);
  }
}

function wrong({ purpose, variable }: Named, why: string): ConfigError {
  return new ConfigError(`${purpose}: ${variable}: ${why}`);
}
