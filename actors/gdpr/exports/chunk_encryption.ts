/**
 * Encryption of export chunks: AES-GCM with a random nonce, which precedes the ciphertext. The additional data bind
 * each chunk to its location and to whether it is the last one of its part. So no chunk can be changed, moved or
 * removed unnoticed.
 */

/** Location of a chunk; the IDs are UUIDs in lower case. */
export interface ChunkLocation {
  storeId: string;
  requestId: string;
  part: string;
  /** Counts from 0. */
  chunk: number;
  last: boolean;
}

const NONCE_BYTES = 12;

export async function encryptChunk(
  key: CryptoKey,
  location: ChunkLocation,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const encrypted = await crypto.subtle.encrypt(algorithm(nonce, location), key, bytes);
  const result = new Uint8Array(NONCE_BYTES + encrypted.byteLength);
  result.set(nonce);
  result.set(new Uint8Array(encrypted), NONCE_BYTES);
  return result;
}

/** @throws {Error} the bytes were not encrypted for this location with this key */
export async function decryptChunk(
  key: CryptoKey,
  location: ChunkLocation,
  encrypted: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const nonce = new Uint8Array(encrypted.subarray(0, NONCE_BYTES));
    const ciphertext = new Uint8Array(encrypted.subarray(NONCE_BYTES));
    return new Uint8Array(await crypto.subtle.decrypt(algorithm(nonce, location), key, ciphertext));
  } catch (cause) {
    const { requestId, part, chunk } = location;
    throw new Error(
      `Cannot read chunk ${chunk} of ${part} of ${requestId}: it was changed or moved, or encrypted with another key`,
      {
        cause,
      },
    );
  }
}

function algorithm(
  iv: Uint8Array<ArrayBuffer>,
  { storeId, requestId, part, chunk, last }: ChunkLocation,
): AesGcmParams {
  const location = JSON.stringify([storeId, requestId, part, chunk, last]);
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(location) };
}
