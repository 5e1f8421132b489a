/**
 * Signature of a participant's confirmation that it has erased its data. It covers a hash of the evidence, so that it
 * can be verified after the evidence has been removed.
 */
import { digestText, type TextDigest } from "./text_digest.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** First line of the signed bytes. */
const FORMAT = "customer-service/erasure-confirmation@1";

/** A confirmation; the IDs are UUIDs in lower case. */
export interface SignedConfirmation {
  storeId: string;
  customerId: string;
  requestId: string;
  /** Name of the participant. */
  service: string;
  /** SHA-256 of the evidence as `evidenceDigest` computes it, in hexadecimal. */
  evidenceSha256: string;
}

/** Hash of the evidence in a signed confirmation, salted with the request's ID; without evidence, of an empty text. */
export function evidenceDigest(requestId: string, evidence: string | null): TextDigest {
  return digestText(evidence ?? "", Uint8Array.fromHex(requestId.replaceAll("-", "")));
}

/** Bytes that a participant signs; docs/participants.md and ConfirmErasureRequest describe them. */
export function confirmationBytes(
  { storeId, customerId, requestId, service, evidenceSha256 }: SignedConfirmation,
): Bytes {
  const lines = [FORMAT, storeId, customerId, requestId, `${service} ${evidenceSha256}`];
  return new TextEncoder().encode(lines.join("\n"));
}

/**
 * Returns the key that has signed a confirmation; undefined if none of them has.
 *
 * @param keys Ed25519 public keys of 32 bytes
 */
export async function findSigner(
  confirmation: SignedConfirmation,
  signature: Bytes,
  keys: readonly Bytes[],
): Promise<Bytes | undefined> {
  const bytes = confirmationBytes(confirmation);
  for (const key of keys) {
    const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    if (await crypto.subtle.verify("Ed25519", imported, signature, bytes)) return key;
  }
  return undefined;
}
