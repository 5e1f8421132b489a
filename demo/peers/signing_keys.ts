/** Keys with which the demo services sign confirmations. They are public knowledge, and for development only. */
import { sha256 } from "../../lib/hash.ts";
import { HOLDINGS } from "./holdings.ts";

/** A PKCS#8 Ed25519 key up to its 32 secret bytes (RFC 8410). */
const PKCS8_HEAD = Uint8Array.fromHex("302e020100300506032b657004220420");

/** The same key for a service in each process, so that any of them can verify. */
async function openKey(service: string): Promise<CryptoKey> {
  const secret = sha256(new TextEncoder().encode(`customer-service demo participant ${service}`));
  const pkcs8 = new Uint8Array([...PKCS8_HEAD, ...secret]);
  return await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
}

/** Returns the Ed25519 signature of a demo service, 64 bytes. */
export async function signAs(
  service: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign("Ed25519", await openKey(service), bytes));
}

/** Public keys of the demo services by name, 32 bytes each. */
export async function demoPublicKeys(): Promise<Record<string, Uint8Array<ArrayBuffer>[]>> {
  const keys = Object.keys(HOLDINGS).map(async (service) => {
    const { x = "" } = await crypto.subtle.exportKey("jwk", await openKey(service));
    return [service, [Uint8Array.fromBase64(x, { alphabet: "base64url" })]];
  });
  return Object.fromEntries(await Promise.all(keys));
}
