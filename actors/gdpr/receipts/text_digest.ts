/**
 * Salted hash of a free text in a receipt. The text itself is stored elsewhere, so that it can be removed without
 * breaking the signature and the chain. A person who has kept the text can still prove it.
 */
import { z } from "zod";
import { sha256 } from "../../../lib/hash.ts";

const SALT_BYTES = 16;

export const TextDigestSchema = z.strictObject({
  /** 16 bytes in hexadecimal: random, or the ID of the request where a participant has signed the hash. */
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  /** SHA-256 of the salt's bytes followed by the text in UTF-8, in hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export type TextDigest = z.output<typeof TextDigestSchema>;

/** @param salt of 16 bytes; by default a random one */
export function digestText(
  text: string,
  salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES)),
): TextDigest {
  return { salt: salt.toHex(), sha256: hash(salt, text) };
}

/** Compares a text, which may have other spaces around it or another normalization form, with a digest. */
export function isTextOf({ salt, sha256 }: TextDigest, text: string): boolean {
  return hash(Uint8Array.fromHex(salt), text.trim().normalize("NFC")) === sha256;
}

function hash(salt: Uint8Array<ArrayBuffer>, text: string): string {
  return sha256(new Uint8Array([...salt, ...new TextEncoder().encode(text)])).toHex();
}
