/** Cache of the last few byte strings and what they decoded to. Decoding them again returns the same object. */

const MAX_ENTRIES = 8;
/** Longer ones hold much that seldom repeats. */
const MAX_LENGTH = 128;

interface Entry<T> {
  /** The key is the first `length` of these bytes. */
  readonly bytes: Uint8Array;
  length: number;
  value: T;
}

export class Memo<T> {
  readonly #entries: Entry<T>[] = [];
  /** The entry to overwrite next, as the number of calls of `store`. */
  #stored = 0;

  find(bytes: Uint8Array, start: number, end: number): T | undefined {
    for (let index = 0; index < this.#entries.length; index++) {
      const entry = this.#entries[index]!;
      if (entry.length === end - start && isEqual(entry, bytes, start)) return entry.value;
    }
    return undefined;
  }

  store(bytes: Uint8Array, start: number, end: number, value: T): void {
    const length = end - start;
    if (length > MAX_LENGTH) return;
    const slot = this.#stored++ % MAX_ENTRIES;
    const entry = this.#entries[slot] ??= { bytes: new Uint8Array(MAX_LENGTH), length, value };
    for (let at = 0; at < length; at++) entry.bytes[at] = bytes[start + at]!;
    entry.length = length;
    entry.value = value;
  }

  clear(): void {
    this.#entries.length = 0;
    this.#stored = 0;
  }
}

/** Starts at the end: blocks that differ mostly do so in their last fields. */
function isEqual(entry: Entry<unknown>, bytes: Uint8Array, start: number): boolean {
  for (let at = entry.length - 1; at >= 0; at--) if (entry.bytes[at] !== bytes[start + at]) return false;
  return true;
}
