/** Keys of requests and export links, for one test: new, but for the hash key, which all replicas share. */
import { calculateJwkThumbprint, exportJWK } from "jose";
import { deriveHashKey } from "../../lib/hash_keys.ts";
import type { RequestKeys } from "../../actors/gdpr/mod.ts";

export async function createKeys(): Promise<
  RequestKeys & { linkKey: CryptoKey; receiptLinkKeys: CryptoKey[] }
> {
  const hmac = () => crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  return {
    exportKey: await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, [
      "encrypt",
      "decrypt",
    ]),
    linkKey: await hmac(),
    receiptLinkKeys: [await hmac(), await hmac()],
    hashKeys: [await deriveHashKey(new Uint8Array(32).fill(7))],
    digestKey: await importDigestKey(),
    receiptKey: {
      id: await calculateJwkThumbprint(await exportJWK(pair.publicKey)),
      private: pair.privateKey,
      public: pair.publicKey,
    },
  };
}

function importDigestKey(): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", new Uint8Array(32).fill(7), algorithm, false, ["sign", "verify"]);
}
