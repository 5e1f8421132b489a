/** Keyed hashes of the emails of guests, as docs/participants.md describes them. */
import type { ParticipantHash } from "../../actors/gdpr/types.ts";
import { hmacSha256 } from "../../lib/hash.ts";

/** Key that the participants have. */
export interface GuestHashKey {
  /** ID under which events and calls name the key. */
  id: string;
  /** HMAC with SHA-256. */
  key: CryptoKey;
}

/** Hashes an email with each key. A service stores the hashes next to the email, in an indexed column. */
export function hashEmail(keys: readonly GuestHashKey[], email: string): ParticipantHash[] {
  const text = normalize(email);
  return keys.map(({ id, key }) => ({ keyId: id, hash: hmacSha256(key, text).toHex() }));
}

/** Lower case, the domain in ASCII: the URL parser converts it by UTS 46. */
function normalize(email: string): string {
  const at = email.lastIndexOf("@");
  return `${email.slice(0, at).toLowerCase()}@${new URL(`http://${email.slice(at + 1)}`).hostname}`;
}
