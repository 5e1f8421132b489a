/** The keys that guard exports, hash emails and sign receipts. */
import { Buffer } from "node:buffer";
import { createPrivateKey } from "node:crypto";
import { calculateJwkThumbprint, type JWK_OKP_Private } from "jose";
import { z } from "zod";
import { keepFile } from "./kept_file.ts";
import { ConfigError, type GdprConfig } from "./mod.ts";
import { KEYS } from "./variables.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface Keys {
  /** AES-GCM: encrypts exports. */
  exportKey: CryptoKey;
  /** HMAC-SHA-256, derived from the export key: authenticates links to exports. */
  linkKey: CryptoKey;
  /** HMAC-SHA-256: hashes emails. */
  hashKey: CryptoKey;
  receiptKey: ReceiptKey;
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
 * Opens the keys, those that are not given with what `dataDirectory` keeps, made when there is nothing.
 *
 * @throws {ConfigError} the kept file holds no keys
 */
export async function openKeys(
  { exportKey, hashKey, receiptKey }: GdprConfig["keys"],
  dataDirectory: string,
): Promise<Keys> {
  const kept = exportKey && hashKey && receiptKey ? undefined : await keptKeys(dataDirectory);
  const given = <Key>(key: Key | undefined, name: keyof typeof KEYS) => key ?? kept![name] as Key;
  const exporting = given(exportKey, "GDPR_EXPORT_KEY");
  return {
    exportKey: await crypto.subtle.importKey("raw", exporting, "AES-GCM", false, ["encrypt", "decrypt"]),
    linkKey: await deriveLinkKey(exporting),
    hashKey: await crypto.subtle.importKey("raw", given(hashKey, "GDPR_HASH_KEY"), HMAC, false, ["sign"]),
    receiptKey: await openReceiptKey(given(receiptKey, "GDPR_RECEIPT_KEY")),
  };
}

const HMAC = { name: "HMAC", hash: "SHA-256" };

async function deriveLinkKey(exportKey: Bytes): Promise<CryptoKey> {
  const info = new TextEncoder().encode("customer-service export links");
  const base = await crypto.subtle.importKey("raw", exportKey, "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  return await crypto.subtle.deriveKey(derivation, base, { ...HMAC, length: 256 }, false, ["sign", "verify"]);
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

const KeptKeys = z.object(KEYS);

async function keptKeys(dataDirectory: string): Promise<z.output<typeof KeptKeys>> {
  const path = `${dataDirectory}/gdpr-keys.json`;
  const text = await keepFile(path, makeKeys);
  try {
    return KeptKeys.parse(JSON.parse(text));
  } catch {
    throw new ConfigError(
      `Cannot read ${path}: it does not hold the keys of this service. Exports and receipts made with them need ` +
        "them; remove it to have new ones made",
    );
  }
}

/** As the variables would carry them. */
async function makeKeys(): Promise<string> {
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
