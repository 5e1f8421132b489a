/** What identifies a verified token, to remember that its session has ended. */
import { decodeJwt } from "jose";
import { sha256 } from "../lib/hash.ts";

export interface TokenMark {
  /** SHA-256 of what is signed, the header and the payload, so that no other spelling of the signature escapes. */
  hash: Uint8Array;
  /** When every replica refuses the token by its own clock. */
  expiresAt: Date;
}

/** Clocks of replicas differ, and the verifier accepts a token a few seconds after its expiry. */
const MARGIN_SECONDS = 60;

/**
 * Reads a token that has been verified; this verifies nothing.
 *
 * @returns undefined where it is not a token with a date of expiry
 */
export function markOf(token: string): TokenMark | undefined {
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
