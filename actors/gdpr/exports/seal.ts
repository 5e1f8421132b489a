/**
 * Encrypts what an export keeps, chunk by chunk: AES-GCM with a nonce of its own in front. Each chunk is bound to
 * the place where it stands and to whether it is the last one there, so that none can be changed, moved or left out.
 */

/** The place of a chunk; the ids are UUIDs in lower case. */
export interface Place {
  storeId: string;
  requestId: string;
  part: string;
  /** Counts from 0. */
  chunk: number;
  last: boolean;
}

const NONCE_BYTES = 12;

export async function seal(
  key: CryptoKey,
  place: Place,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const encrypted = await crypto.subtle.encrypt(algorithm(nonce, place), key, bytes);
  const sealed = new Uint8Array(NONCE_BYTES + encrypted.byteLength);
  sealed.set(nonce);
  sealed.set(new Uint8Array(encrypted), NONCE_BYTES);
  return sealed;
}

/** @throws {Error} these are not the bytes that were sealed for this place with this key */
export async function unseal(
  key: CryptoKey,
  place: Place,
  sealed: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const nonce = new Uint8Array(sealed.subarray(0, NONCE_BYTES));
    const encrypted = new Uint8Array(sealed.subarray(NONCE_BYTES));
    return new Uint8Array(await crypto.subtle.decrypt(algorithm(nonce, place), key, encrypted));
  } catch (cause) {
    const { requestId, part, chunk } = place;
    throw new Error(
      `Cannot read chunk ${chunk} of ${part} of ${requestId}: it is not what was sealed there`,
      {
        cause,
      },
    );
  }
}

function algorithm(
  iv: Uint8Array<ArrayBuffer>,
  { storeId, requestId, part, chunk, last }: Place,
): AesGcmParams {
  const place = JSON.stringify([storeId, requestId, part, chunk, last]);
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(place) };
}
