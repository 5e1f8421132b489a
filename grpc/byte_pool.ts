/** Copies of short messages, several in one allocation: the allocation takes longer than the rest of the copy. */

const CHUNK_BYTES = 8_192;
/** A longer message has an allocation of its own. */
const LONGEST_BYTES = 1_024;

let chunk = new ArrayBuffer(CHUNK_BYTES);
let used = 0;

/** Copies `bytes[start, end)`. The copy belongs to the caller, but may share its buffer with other copies. */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  if (length > LONGEST_BYTES) return bytes.slice(start, end);
  if (used + length > CHUNK_BYTES) {
    chunk = new ArrayBuffer(CHUNK_BYTES);
    used = 0;
  }
  const copy = new Uint8Array(chunk, used, length);
  used += length;
  for (let at = 0; at < length; at++) copy[at] = bytes[start + at]!;
  return copy;
}
