/** Reads the PEM files that the configuration names. Validates them here, because TLS fails later without a reason. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { isPem } from "./path.ts";
import { type FileContext, invalidFile, readVariableFile } from "./variable_file.ts";

/**
 * Reads certificates of certificate authorities.
 *
 * @param path of a PEM file, or its text
 * @throws {ConfigError} the file cannot be read or does not begin with a certificate
 */
export async function readAuthority(path: string, context: FileContext): Promise<string> {
  const pem = await readPem(path, context);
  parse("a certificate", context, () => new X509Certificate(pem));
  return pem;
}

/**
 * Reads a certificate and its private key.
 *
 * @param paths of PEM files, or their texts
 * @throws {ConfigError} a file cannot be read or parsed, or the key does not match the certificate
 */
export async function readIdentity(
  paths: { certificate: string; key: string },
  failurePrefix: string,
  variables: { certificate: string; key: string },
): Promise<{ certificate: string; key: string }> {
  const context = { failurePrefix, variable: variables.certificate };
  const keyContext = { failurePrefix, variable: variables.key };
  const [certificate, key] = [
    await readPem(paths.certificate, context),
    await readPem(paths.key, keyContext),
  ];
  const own = parse("a certificate", context, () => new X509Certificate(certificate));
  const ownKey = parse("a private key", keyContext, () => createPrivateKey(key));
  if (!own.checkPrivateKey(ownKey)) throw invalidFile(context, `it is not for the key of ${variables.key}`);
  return { certificate, key };
}

async function readPem(pathOrText: string, context: FileContext): Promise<string> {
  return isPem(pathOrText) ? pathOrText : await readVariableFile(pathOrText, context);
}

function parse<T>(what: string, context: FileContext, read: () => T): T {
  try {
    return read();
  } catch { // its message may quote the file
    throw invalidFile(context, `expected a file with ${what} in PEM form`);
  }
}
