/**
 * Keys that are derived from GDPR_HASH_KEY by HKDF (RFC 5869), one for each purpose. The owner of a derived key learns
 * nothing about the others.
 */

type Bytes = Uint8Array<ArrayBuffer>;

export interface HashKey {
  /** 16 hexadecimal digits, in events and files. Does not reveal the key. */
  id: string;
  /** HMAC-SHA-256: hashes emails for the erasure memory. */
  memory: CryptoKey;
  /** HMAC-SHA-256: hashes emails for participants, which have this key. Extractable. */
  participants: CryptoKey;
  /** HMAC-SHA-256: authenticates the entries of the erasure log. */
  log: CryptoKey;
  /** AES-GCM with 256 bits: seals contact data that outlive the customer's row. */
  sealing: CryptoKey;
}

/** The current key, followed by earlier ones, which are still read. */
export type HashKeys = readonly [HashKey, ...HashKey[]];

/** @param secret at least 32 bytes */
export async function deriveHashKey(secret: Bytes): Promise<HashKey> {
  return {
    id: (await deriveBytes(secret, "customer-service key ID", 8)).toHex(),
    memory: await deriveHmacKey(secret, "customer-service erasure memory"),
    participants: await deriveHmacKey(secret, "customer-service participants", true),
    log: await deriveHmacKey(secret, "customer-service erasure log"),
    sealing: await crypto.subtle.importKey(
      "raw",
      await deriveBytes(secret, "customer-service sealed contact data", 32),
      "AES-GCM",
      false,
      ["encrypt", "decrypt"],
    ),
  };
}

/** Derives a key for HMAC with SHA-256. */
export async function deriveHmacKey(secret: Bytes, label: string, extractable = false): Promise<CryptoKey> {
  const bytes = await deriveBytes(secret, label, 32);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return await crypto.subtle.importKey("raw", bytes, algorithm, extractable, ["sign", "verify"]);
}

async function deriveBytes(secret: Bytes, label: string, length: number): Promise<Bytes> {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const info = new TextEncoder().encode(label);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  return new Uint8Array(await crypto.subtle.deriveBits(derivation, base, length * 8));
}
