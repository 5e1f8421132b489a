/** Token of an export link: encodes the request and the link generation, signed, and nothing else. */
import type { RequestKey } from "../types.ts";
import { hmacSha256 } from "../../../lib/hash.ts";

/** A link to the export of a request. */
export interface ExportLink extends RequestKey {
  /** Number of the link among those of the request, from 1. */
  generation: number;
}

const UUID_BYTES = 16;
const PAYLOAD_BYTES = 2 * UUID_BYTES + 4;
const SIGNATURE_BYTES = 32;
const BASE64 = { alphabet: "base64url", omitPadding: true } as const;

/** @param linkKey HMAC with SHA-256 */
export async function signLink(linkKey: CryptoKey, link: ExportLink): Promise<string> {
  const token = new Uint8Array(PAYLOAD_BYTES + SIGNATURE_BYTES);
  token.set(Uint8Array.fromHex(link.storeId.replaceAll("-", "")));
  token.set(Uint8Array.fromHex(link.requestId.replaceAll("-", "")), UUID_BYTES);
  new DataView(token.buffer).setUint32(2 * UUID_BYTES, link.generation);
  token.set(await hmacSha256(linkKey, token.subarray(0, PAYLOAD_BYTES)), PAYLOAD_BYTES);
  return token.toBase64(BASE64);
}

/** @returns undefined if the token is malformed or its signature is invalid */
export async function readLink(linkKey: CryptoKey, token: string): Promise<ExportLink | undefined> {
  const bytes = decode(token);
  if (bytes?.byteLength !== PAYLOAD_BYTES + SIGNATURE_BYTES) return undefined;
  const payload = bytes.subarray(0, PAYLOAD_BYTES);
  if (!await crypto.subtle.verify("HMAC", linkKey, bytes.subarray(PAYLOAD_BYTES), payload)) return undefined;
  return {
    storeId: uuid(payload.subarray(0, UUID_BYTES)),
    requestId: uuid(payload.subarray(UUID_BYTES, 2 * UUID_BYTES)),
    generation: new DataView(bytes.buffer).getUint32(2 * UUID_BYTES),
  };
}

function decode(token: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes = Uint8Array.fromBase64(token, { alphabet: "base64url" });
    return bytes.toBase64(BASE64) === token ? bytes : undefined; // only the canonical encoding
  } catch {
    return undefined;
  }
}

function uuid(bytes: Uint8Array): string {
  return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
