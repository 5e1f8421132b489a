/** Proof of an entry of the erasure memory outside of the database: an HMAC, so that a replay believes no forged entry. */
import { hmacSha256, isEqual } from "../../../lib/hash.ts";
import type { HashKeys } from "../../../lib/hash_keys.ts";
import type { ErasedSubject } from "../../../db/erased_subjects.ts";

export interface ErasureProof {
  /** ID of the key that made the proof. */
  keyId: string;
  /** HMAC-SHA-256 in hexadecimal. */
  proof: string;
}

/** Proves the entry with the current key. */
export async function proveErasure([{ id, log }]: HashKeys, subject: ErasedSubject): Promise<ErasureProof> {
  return { keyId: id, proof: (await hmacSha256(log, provenText(subject))).toHex() };
}

/** Whether the current key or an earlier one made the proof, for this entry. */
export async function isProven(
  keys: HashKeys,
  subject: ErasedSubject,
  { keyId, proof }: ErasureProof,
): Promise<boolean> {
  const key = keys.find(({ id }) => id === keyId);
  return key !== undefined && isEqual((await hmacSha256(key.log, provenText(subject))).toHex(), proof);
}

function provenText({ storeId, customerId, erasedAt, emailHashes }: ErasedSubject): string {
  const hashes = emailHashes.map((hash) => new Uint8Array(hash).toHex()).toSorted();
  return JSON.stringify(["customer-service/erasure@1", storeId, customerId, erasedAt.toISOString(), hashes]);
}
