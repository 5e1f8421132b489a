/** Token fingerprint: identifies a token in the list of ended sessions. */
import { decodeJwt } from "jose";
import { sha256 } from "../lib/hash.ts";

export interface TokenFingerprint {
  /** SHA-256 of header and payload. The signature is left out because it has several valid spellings. */
  hash: Uint8Array;
  /** From this time on every replica refuses the token by its own clock. */
  expiresAt: Date;
}

/** Covers clock differences between replicas and the verifier's tolerance. */
const MARGIN_SECONDS = 60;

/**
 * Computes the fingerprint of a verified token. It verifies nothing itself.
 *
 * @returns undefined if the text is not a token with an expiry
 */
export function fingerprintOf(token: string): TokenFingerprint | undefined {
  try {
    const { exp } = decodeJwt(token);
    if (exp === undefined) return undefined;
    const expiresAt = new Date((exp + MARGIN_SECONDS) * 1_000);
    if (Number.isNaN(expiresAt.getTime())) return undefined;
    const signed = token.slice(0, token.lastIndexOf("."));
    return { hash: sha256(signed), expiresAt };
  } catch {
    return undefined;
  }
}
