/** The keyed hash of an email: it finds a guest's rows and recognises who has left, and gives no email away. */

/**
 * HMAC-SHA-256 of the email in lower case and in Unicode's normal form C.
 *
 * @param key HMAC-SHA-256, may sign
 */
export async function hashEmail(key: CryptoKey, email: string): Promise<Uint8Array> {
  const text = new TextEncoder().encode(email.toLowerCase().normalize("NFC"));
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, text));
}
