/** Keyed hashes of an email: they identify an erased customer and the data of guests without storing the email. */
import { comparableEmail } from "../../../domain/email.ts";
import type { EmailHash } from "../../../db/email_hashes.ts";
import { hmacSha256 } from "../../../lib/hash.ts";
import type { ParticipantHash } from "../types.ts";
import type { HashKeys } from "../../../lib/hash_keys.ts";

/**
 * Hashes the email with the current and every earlier key, so that rows of any of them are found.
 *
 * @returns the current key's first
 */
export function hashEmail(keys: HashKeys, email: string): EmailHash[] {
  return keys.map(({ id, memory, participants }) => ({
    hash: hashWith(memory, email),
    participantHash: hashWith(participants, email),
    keyId: id,
  }));
}

/**
 * Hashes the email for the erasure memory alone, with the current and every earlier key.
 *
 * @returns the current key's first
 */
export function hashForMemory(keys: HashKeys, email: string): Uint8Array[] {
  const comparable = comparableEmail(email);
  return keys.map(({ memory }) => hmacSha256(memory, comparable));
}

/**
 * Computes HMAC-SHA-256 of the email in its normalized form: in ASCII and in lower case.
 *
 * @param key HMAC with SHA-256, for signing
 */
export function hashWith(key: CryptoKey, email: string): Uint8Array {
  return hmacSha256(key, comparableEmail(email));
}

/** Returns the hashes with the keys that participants have; those that a replay has added are not among them. */
export function participantHashesOf(hashes: readonly EmailHash[]): ParticipantHash[] {
  return hashes.flatMap(({ participantHash, keyId }) =>
    participantHash && keyId !== null ? [{ keyId, hash: participantHash.toHex() }] : []
  );
}
