/** What may be kept or shown in the place of a value: nobody without the key finds out by trying what it was. */
import { hmacSha256 } from "../lib/hash.ts";

/** HMAC-SHA-256 in base64url. */
export async function digest(key: CryptoKey, text: string): Promise<string> {
  return (await hmacSha256(key, text)).toBase64({ alphabet: "base64url", omitPadding: true });
}
