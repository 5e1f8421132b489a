/** PEM files that the configuration names. TLS takes whatever it is given, and fails later without a reason. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { type Named, readNamed, wrong } from "./named_file.ts";

/**
 * The text of a file with the certificates of authorities.
 *
 * @throws {ConfigError} the file cannot be read, or begins with no certificate
 */
export async function readAuthority(path: string, named: Named): Promise<string> {
  const pem = await readNamed(path, named);
  parse("a certificate", named, () => new X509Certificate(pem));
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
  const [certificate, key] = [
    await readNamed(paths.certificate, named),
    await readNamed(paths.key, keyNamed),
  ];
  const own = parse("a certificate", named, () => new X509Certificate(certificate));
  const ownKey = parse("a private key", keyNamed, () => createPrivateKey(key));
  if (!own.checkPrivateKey(ownKey)) throw wrong(named, `it is not for the key of ${variables.key}`);
  return { certificate, key };
}

function parse<T>(what: string, named: Named, read: () => T): T {
  try {
    return read();
  } catch { // whose message may quote the file
    throw wrong(named, `expected a file with ${what} in PEM form`);
  }
}
