/**
 * Sealed values: AES-GCM with a random nonce, which precedes the ciphertext. The additional data bind a value to its row,
 * so that it cannot be moved to another one.
 */

type Bytes = Uint8Array<ArrayBuffer>;

export interface SealingKey {
  /** Stored with each sealed value. Does not reveal the key. */
  id: string;
  /** AES-GCM with 256 bits. */
  sealing: CryptoKey;
}

export interface Sealed {
  keyId: string;
  bytes: Bytes;
}

const NONCE_BYTES = 12;

/** @param place the IDs of the row */
export async function seal(key: SealingKey, place: readonly string[], text: string): Promise<Sealed> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const plain = new TextEncoder().encode(text);
  const encrypted = await crypto.subtle.encrypt(algorithm(nonce, place), key.sealing, plain);
  return { keyId: key.id, bytes: new Uint8Array([...nonce, ...new Uint8Array(encrypted)]) };
}

/**
 * @param keys the current one and earlier ones
 * @throws {Error} none of the keys has sealed the value, or it was changed or moved
 */
export async function unseal(
  keys: readonly SealingKey[],
  place: readonly string[],
  { keyId, bytes }: { keyId: string; bytes: Uint8Array },
): Promise<string> {
  const key = keys.find(({ id }) => id === keyId);
  if (!key) throw new Error(`Cannot open a sealed value: the key ${keyId} is not configured`);
  const [nonce, encrypted] = [bytes.slice(0, NONCE_BYTES), bytes.slice(NONCE_BYTES)];
  try {
    const plain = await crypto.subtle.decrypt(
      algorithm(new Uint8Array(nonce), place),
      key.sealing,
      new Uint8Array(encrypted),
    );
    return new TextDecoder().decode(plain);
  } catch (cause) {
    throw new Error("Cannot open a sealed value: it was changed or moved", { cause });
  }
}

function algorithm(iv: Bytes, place: readonly string[]): AesGcmParams {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(JSON.stringify(place)) };
}
