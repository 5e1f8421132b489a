/** Keyed hash of an email: identifies an erased customer and finds the data of guests without storing the email. */
import { comparableEmail } from "../../../domain/email.ts";
import { hmacSha256 } from "../../../lib/hash.ts";

/**
 * Computes HMAC-SHA-256 of the email in its normalized form: in ASCII and in lower case.
 *
 * @param key HMAC with SHA-256, for signing
 */
export function hashEmail(key: CryptoKey, email: string): Promise<Uint8Array> {
  return hmacSha256(key, comparableEmail(email));
}
