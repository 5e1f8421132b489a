/** What actors need beside a database, for tests: keys of their own, and participants by the default names. */
import { hashEmail } from "../../actors/gdpr/email_hash.ts";
import { writeReceipt } from "../../actors/gdpr/receipt.ts";
import type { RequestSettings } from "../../actors/gdpr/request_behaviour.ts";

export const PARTICIPANTS = ["order-service", "payment-service", "communication-service"];

export async function requestSettings(changes: Partial<RequestSettings> = {}): Promise<RequestSettings> {
  const hashKey = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const signer = { id: "test", private: pair.privateKey, public: pair.publicKey };
  return {
    participants: PARTICIPANTS,
    graceMs: 0,
    hashEmail: (email) => hashEmail(hashKey, email),
    writeReceipt: (tx, facts, at) => writeReceipt(tx, signer, facts, at),
    ...changes,
  };
}
