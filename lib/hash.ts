/** SHA-256, plain and keyed. */
import { hash, timingSafeEqual } from "node:crypto";

/** @returns 32 bytes */
export function sha256(data: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hash("sha256", data, "buffer"));
}

/**
 * @param key a CryptoKey with the usage `sign`, or a secret as bytes or text
 * @returns 32 bytes
 */
export async function hmacSha256(
  key: CryptoKey | BufferSource | string,
  data: BufferSource | string,
): Promise<Uint8Array<ArrayBuffer>> {
  const signing = key instanceof CryptoKey ? key : await importHmacKey(bytesOf(key));
  return new Uint8Array(await crypto.subtle.sign("HMAC", signing, bytesOf(data)));
}

/** Compares two secrets in constant time, whatever their lengths. */
export function isEqual(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

function importHmacKey(secret: BufferSource): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

function bytesOf(data: BufferSource | string): BufferSource {
  return typeof data === "string" ? new TextEncoder().encode(data) : data;
}
