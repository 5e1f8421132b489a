/** The keyed hash of an email: it finds a guest's rows and recognises who has left, and gives no email away. */
import { comparableEmail } from "../../../domain/email.ts";
import { hmacSha256 } from "../../../lib/hash.ts";

/**
 * HMAC-SHA-256 of the email in the form in which emails are compared: in lower case, its domain in ASCII.
 *
 * @param key HMAC-SHA-256, may sign
 */
export function hashEmail(key: CryptoKey, email: string): Promise<Uint8Array> {
  return hmacSha256(key, comparableEmail(email));
}
