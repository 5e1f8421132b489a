/** Keyed hash of an email: identifies an erased customer and finds the data of guests without storing the email. */
import { hmacSha256 } from "../../../lib/hash.ts";

/**
 * Computes HMAC-SHA-256 of the email in lower case and Unicode normalization form C.
 *
 * @param key HMAC with SHA-256, for signing
 */
export function hashEmail(key: CryptoKey, email: string): Promise<Uint8Array> {
  return hmacSha256(key, email.toLowerCase().normalize("NFC"));
}
