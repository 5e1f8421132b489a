/**
 * Cache of the last few header blocks that left the dynamic table as it was. While the table stays the same,
 * the same bytes decode to the same list. Several, because a client's responses alternate between headers
 * and trailers.
 */
import type { HeaderList } from "./header_list.ts";

const MOST_BLOCKS = 4;
/** Longer blocks hold literals, which seldom repeat. */
const LONGEST_BLOCK = 256;

interface Entry {
  readonly block: Uint8Array;
  readonly list: HeaderList;
}

export class BlockMemo {
  readonly #entries: Entry[] = [];
  #oldest = 0;

  find(bytes: Uint8Array, start: number, end: number): HeaderList | undefined {
    for (let index = 0; index < this.#entries.length; index++) {
      const { block, list } = this.#entries[index]!;
      if (block.length === end - start && isEqual(block, bytes, start)) return list;
    }
    return undefined;
  }

  store(bytes: Uint8Array, start: number, end: number, list: HeaderList): void {
    if (end - start > LONGEST_BLOCK) return;
    this.#entries[this.#oldest] = { block: bytes.slice(start, end), list };
    this.#oldest = (this.#oldest + 1) % MOST_BLOCKS;
  }

  clear(): void {
    this.#entries.length = 0;
    this.#oldest = 0;
  }
}

function isEqual(block: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < block.length; at++) if (block[at] !== bytes[start + at]) return false;
  return true;
}
