/** Verification of the signatures of participants' confirmations. */
import { DomainError } from "../../../domain/errors.ts";
import { evidenceDigest, findSigner, type SignedConfirmation } from "../receipts/confirmation.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Ed25519 public keys of 32 bytes, by the participants' names. */
export type PeerKeys = Readonly<Record<string, readonly Bytes[]>>;

/**
 * Verifies the signature of a confirmation and returns the key that has signed. Returns undefined if the participant
 * has no key and has signed nothing.
 *
 * @param keys of the participant: with any, it has to sign
 * @throws {DomainError} INVALID_INPUT: the signature is missing, does not match, or there is no key to verify it
 */
export async function verifyConfirmation(
  keys: readonly Bytes[],
  { evidence, ...confirmation }: Omit<SignedConfirmation, "evidenceSha256"> & { evidence: string | null },
  signature: Bytes | undefined,
): Promise<Bytes | undefined> {
  const { requestId, service } = confirmation;
  const refusal = (message: string) =>
    new DomainError("INVALID_INPUT", `Cannot confirm erasure ${requestId}: signature ${message}`, {
      fields: [{ field: "signature", message }],
    });
  if (!signature) {
    if (keys.length === 0) return undefined;
    throw refusal(`must be given, because ${service} has a public key here`);
  }
  if (keys.length === 0) throw refusal(`must be absent, because ${service} has no public key here`);
  const evidenceSha256 = evidenceDigest(requestId, evidence).sha256;
  const signer = await findSigner({ ...confirmation, evidenceSha256 }, signature, keys);
  if (!signer) throw refusal(`must be the signature of this confirmation with a key of ${service}`);
  return signer;
}
