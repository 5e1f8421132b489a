/** Secret keys: they encrypt exports, authenticate links, hash emails and sign receipts. */
import { Buffer } from "node:buffer";
import { createPrivateKey } from "node:crypto";
import { calculateJwkThumbprint, type JWK, type JWK_OKP_Private } from "jose";
import { z } from "zod";
import { deriveHashKey, deriveHmacKey, type HashKeys } from "../lib/hash_keys.ts";
import { readOrGenerateFile } from "./generated_file.ts";
import { ConfigError, type GdprConfig } from "./mod.ts";
import { KEYS } from "./variables.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface Keys {
  /** AES-GCM: encrypts exports. */
  exportKey: CryptoKey;
  /** HMAC-SHA-256, derived from the export key: authenticates links to exports. */
  linkKey: CryptoKey;
  /** Derived from GDPR_HASH_KEY: hash emails and authenticate the erasure log. */
  hashKeys: HashKeys;
  /** HMAC-SHA-256, derived from the current hash key: hashes idempotency keys, the keys of rate limits, and filters in cursors. */
  digestKey: CryptoKey;
  /** HMAC-SHA-256, derived from the hash keys, the current one first: authenticate links to receipts. */
  receiptLinkKeys: readonly CryptoKey[];
  receiptKey: ReceiptKey;
  /** Public keys that verify receipts: the current one, followed by earlier ones. */
  receiptJwks: JWK[];
}

/** Ed25519. */
export interface ReceiptKey {
  /** The public key's JWK thumbprint (RFC 7638, SHA-256, base64url). */
  id: string;
  private: CryptoKey;
  /** Extractable. */
  public: CryptoKey;
}

/**
 * Imports the keys. Those that are not configured come from a file in `dataDirectory`, generated on first use.
 *
 * @throws {ConfigError} the file does not contain keys
 */
export async function openKeys(
  { exportKey, hashKeys, receiptKey, receiptPublicKeys }: GdprConfig["keys"],
  dataDirectory: string,
): Promise<Keys> {
  const storedKeys = exportKey && hashKeys && receiptKey
    ? undefined
    : await readOrGenerateKeys(dataDirectory);
  const configured = <Key>(key: Key | undefined, name: keyof typeof KEYS) => key ?? storedKeys![name] as Key;
  const exporting = configured(exportKey, "GDPR_EXPORT_KEY");
  const [hashing, ...earlier] = configured(hashKeys, "GDPR_HASH_KEY");
  const signing = await openReceiptKey(configured(receiptKey, "GDPR_RECEIPT_KEY"));
  const current = new Uint8Array(await crypto.subtle.exportKey("raw", signing.public));
  return {
    exportKey: await crypto.subtle.importKey("raw", exporting, "AES-GCM", false, ["encrypt", "decrypt"]),
    linkKey: await deriveHmacKey(exporting, "customer-service export links"),
    hashKeys: [await deriveHashKey(hashing), ...await Promise.all(earlier.map(deriveHashKey))],
    digestKey: await deriveHmacKey(hashing, "customer-service rate limits and cursors"),
    receiptLinkKeys: await Promise.all(
      [hashing, ...earlier].map((secret) => deriveHmacKey(secret, "customer-service receipt links")),
    ),
    receiptKey: signing,
    receiptJwks: await Promise.all([current, ...receiptPublicKeys].map(toJwk)),
  };
}

/** @param key 32 bytes, or a SubjectPublicKeyInfo, which ends with them */
async function toJwk(key: Bytes): Promise<JWK> {
  const x = key.slice(-32).toBase64({ alphabet: "base64url", omitPadding: true });
  const jwk = { kty: "OKP", crv: "Ed25519", x } as const;
  return { ...jwk, alg: "EdDSA", use: "sig", kid: await calculateJwkThumbprint(jwk) };
}

async function openReceiptKey(pkcs8: Bytes): Promise<ReceiptKey> {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  const jwk = key.export({ format: "jwk" }) as JWK_OKP_Private;
  const { d: _private, ...publicJwk } = jwk;
  return {
    id: await calculateJwkThumbprint(publicJwk),
    private: await crypto.subtle.importKey("jwk", { ...jwk }, "Ed25519", false, ["sign"]),
    public: await crypto.subtle.importKey("jwk", { ...publicJwk }, "Ed25519", true, ["verify"]),
  };
}

const StoredKeys = z.object(KEYS);

async function readOrGenerateKeys(dataDirectory: string): Promise<z.output<typeof StoredKeys>> {
  const path = `${dataDirectory}/gdpr-keys.json`;
  const text = await readOrGenerateFile(path, generateKeys);
  try {
    return StoredKeys.parse(JSON.parse(text));
  } catch {
    throw new ConfigError(
      `Cannot read ${path}: it does not contain the keys of this service. Existing exports and receipts need ` +
        "the old keys; delete the file to generate new ones",
    );
  }
}

/** Generates keys in the format of the variables. */
async function generateKeys(): Promise<string> {
  const random = () => crypto.getRandomValues(new Uint8Array(32)).toBase64();
  const { privateKey } = await crypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  return JSON.stringify(
    {
      GDPR_EXPORT_KEY: random(),
      GDPR_HASH_KEY: random(),
      GDPR_RECEIPT_KEY: pkcs8.toBase64(),
    } satisfies Record<keyof typeof KEYS, string>,
  );
}
