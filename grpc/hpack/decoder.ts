/** HPACK decoder, RFC 7541 3. One per connection. */
import { DynamicTable, ENTRY_OVERHEAD, INITIAL_TABLE_SIZE } from "./dynamic_table.ts";
import { HpackError } from "./error.ts";
import type { HeaderList } from "./header_list.ts";
import { type Cursor, readInteger } from "./integers.ts";
import { Memo } from "./memo.ts";
import { STATIC_ENTRIES, staticNames, staticValues } from "./static_table.ts";
import { readString, stringEnd } from "./strings.ts";

export interface DecoderLimits {
  /**
   * The largest table that the peer may choose: our SETTINGS_HEADER_TABLE_SIZE. The table starts with 4096
   * bytes even if this is less, since the peer may send blocks before it has our settings.
   */
  maxTableSize: number;
  /** The largest list, as the sum of name + value + 32 bytes over its fields. */
  maxListSize: number;
  /** Maximum number of fields in a block, even if the list exceeds its size. More are an HpackError. */
  maxWork?: number;
}

export class HpackDecoder {
  readonly #limits: Required<DecoderLimits>;
  readonly #table = new DynamicTable(INITIAL_TABLE_SIZE);
  /**
   * The last blocks that left the table as it was, since when it has not changed. Several, because a client's
   * responses alternate between headers and trailers.
   */
  readonly #blocks = new Memo<HeaderList>();
  /** The last literal names and paths: they repeat, unlike other values. */
  readonly #strings = new Memo<string>();
  /** The list that is being decoded; undefined once it exceeds its size. */
  #list: string[] | undefined;
  /** Remaining size of the list. */
  #room = 0;
  #fields = 0;

  constructor(limits: DecoderLimits) {
    this.#limits = { maxWork: Infinity, ...limits };
  }

  /** Number of fields that the last call of `decode` read, including those beyond the size limit. */
  get fields(): number {
    return this.#fields;
  }

  /**
   * Decodes the complete header block bytes[start, end). Returns undefined for a list over `maxListSize`: the
   * dynamic table is still kept in step. A repeated block may return the same list: do not modify it.
   * @throws {HpackError} for any violation of RFC 7541; the decoder is then out of step with its peer
   */
  decode(bytes: Uint8Array, start: number, end: number): HeaderList | undefined {
    const known = this.#blocks.find(bytes, start, end);
    if (known) {
      this.#fields = known.length / 2;
      return known;
    }
    this.#list = [];
    this.#room = this.#limits.maxListSize;
    this.#fields = 0;
    const isTableChanged = this.#readBlock({ bytes, at: start, end });
    const list = this.#list;
    this.#list = undefined;
    if (isTableChanged) this.#blocks.clear();
    else if (list) this.#blocks.store(bytes, start, end, list);
    return list;
  }

  /** Returns whether the block changed the dynamic table. */
  #readBlock(cursor: Cursor): boolean {
    const { bytes, end } = cursor;
    let isTableChanged = false;
    while (cursor.at < end && (bytes[cursor.at]! & 0xe0) === 0x20) {
      this.#resize(readInteger(cursor, 5));
      isTableChanged = true;
    }
    while (cursor.at < end) {
      const pattern = bytes[cursor.at]!;
      if (pattern >= 0x80) {
        this.#readIndexed(cursor);
      } else if (pattern >= 0x40) {
        this.#readLiteral(cursor, 6, true);
        isTableChanged = true;
      } else if (pattern >= 0x20) {
        throw new HpackError("A table size update follows a field");
      } else {
        this.#readLiteral(cursor, 4, false);
      }
    }
    return isTableChanged;
  }

  #resize(size: number): void {
    const { maxTableSize } = this.#limits;
    if (size > maxTableSize) throw new HpackError(`A table size update to ${size} exceeds ${maxTableSize}`);
    this.#table.resize(size);
  }

  #readIndexed(cursor: Cursor): void {
    const index = readInteger(cursor, 7);
    const name = this.#nameAt(index);
    const value = index <= STATIC_ENTRIES
      ? staticValues[index]!
      : this.#table.valueAt(index - STATIC_ENTRIES - 1);
    this.#add(name, value);
  }

  #readLiteral(cursor: Cursor, prefixBits: number, isInserted: boolean): void {
    const index = readInteger(cursor, prefixBits);
    const roomInTable = isInserted ? this.#table.capacity : 0;
    const limit = Math.max(this.#list ? this.#room : 0, roomInTable) - ENTRY_OVERHEAD;
    const name = index === 0 ? this.#readRepeated(cursor, limit) : this.#nameAt(index);
    const valueLimit = name === undefined ? -1 : limit - name.length;
    const value = name === ":path" ? this.#readRepeated(cursor, valueLimit) : readString(cursor, valueLimit);
    if (name !== undefined && value !== undefined) {
      this.#add(name, value);
      if (isInserted) this.#table.insert(name, value);
    } else { // too large for both
      this.#countField();
      this.#list = undefined;
      if (isInserted) this.#table.clear();
    }
  }

  #readRepeated(cursor: Cursor, limit: number): string | undefined {
    const start = cursor.at;
    const end = stringEnd(cursor);
    const known = this.#strings.find(cursor.bytes, start, end);
    if (known !== undefined) {
      cursor.at = end;
      return known;
    }
    const text = readString(cursor, limit);
    if (text !== undefined) this.#strings.store(cursor.bytes, start, end, text);
    return text;
  }

  #nameAt(index: number): string {
    if (index === 0) throw new HpackError("Index 0 is not used");
    if (index <= STATIC_ENTRIES) return staticNames[index]!;
    const age = index - STATIC_ENTRIES - 1;
    if (age >= this.#table.count) throw new HpackError(`Index ${index} exceeds the end of the table`);
    return this.#table.nameAt(age);
  }

  #add(name: string, value: string): void {
    this.#countField();
    if (!this.#list) return;
    this.#room -= name.length + value.length + ENTRY_OVERHEAD;
    if (this.#room < 0) this.#list = undefined;
    else this.#list.push(name, value);
  }

  #countField(): void {
    if (++this.#fields > this.#limits.maxWork) {
      throw new HpackError(`A header block has more than ${this.#limits.maxWork} fields`);
    }
  }
}
