/** Keyed hashes that replace personal values. Without the key, a value cannot be guessed and compared. */
import { hmacSha256 } from "../lib/hash.ts";

/** Returns the HMAC-SHA-256 of a string in base64url. */
export function keyedHash(key: CryptoKey, text: string): string {
  return hmacSha256(key, text).toBase64({ alphabet: "base64url", omitPadding: true });
}
