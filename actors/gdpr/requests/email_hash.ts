/** The keyed hash of an email: it finds a guest's rows and recognises who has left, and gives no email away. */
import { hmacSha256 } from "../../../lib/hash.ts";

/**
 * HMAC-SHA-256 of the email in lower case and in Unicode's normal form C.
 *
 * @param key HMAC-SHA-256, may sign
 */
export function hashEmail(key: CryptoKey, email: string): Promise<Uint8Array> {
  return hmacSha256(key, email.toLowerCase().normalize("NFC"));
}
