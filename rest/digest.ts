/** What may be kept or shown in the place of a value: nobody without the key finds out by trying what it was. */

/** HMAC-SHA-256 in base64url. */
export async function digest(key: CryptoKey, text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text)));
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
