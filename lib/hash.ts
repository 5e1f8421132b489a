/** SHA-256, plain and keyed. */
import { createHmac, hash, KeyObject, timingSafeEqual, type webcrypto } from "node:crypto";

/** @returns 32 bytes */
export function sha256(data: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hash("sha256", data, "buffer"));
}

/**
 * HMAC with SHA-256. Synchronous: for texts of a few hundred bytes, WebCrypto spends more time on the way to its thread and
 * back than on the hash.
 *
 * @param key a CryptoKey for HMAC with SHA-256, or a secret as bytes or text
 * @returns 32 bytes
 */
export function hmacSha256(
  key: CryptoKey | Uint8Array | string,
  data: Uint8Array | string,
): Uint8Array<ArrayBuffer> {
  const secret = key instanceof CryptoKey ? keyObjectOf(key) : key;
  return new Uint8Array(createHmac("sha256", secret).update(data).digest());
}

const keyObjects = new WeakMap<CryptoKey, KeyObject>();

/** The same key for node:crypto, converted once. */
function keyObjectOf(key: CryptoKey): KeyObject {
  let found = keyObjects.get(key);
  if (!found) keyObjects.set(key, found = KeyObject.from(key as webcrypto.CryptoKey));
  return found;
}

/** Compares two secrets in constant time, whatever their lengths. */
export function isEqual(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}
