/** HPACK encoder, RFC 7541 3. One per connection. */
import type { ByteWriter } from "../byte_writer.ts";
import { DynamicTable, ENTRY_OVERHEAD, INITIAL_TABLE_SIZE } from "./dynamic_table.ts";
import type { HeaderList } from "./header_list.ts";
import { defaultRule, incremental, nameRules, neverIndexed, withoutIndexing } from "./indexing.ts";
import { writeInteger } from "./integers.ts";
import { STATIC_ENTRIES } from "./static_table.ts";
import { writeString } from "./strings.ts";

/** The entries of the dynamic table with one name. */
interface Indexed {
  /** Serial number by value, oldest first. */
  readonly values: Map<string, number>;
  /** Serial number of the newest. */
  newest: number;
}

export class HpackEncoder {
  readonly #maxTableSize: number;
  readonly #table: DynamicTable;
  readonly #names = new Map<string, Indexed>();
  /** The table's size from the next block on, and the smallest one since the last block. */
  #nextSize: number;
  #smallestSize: number;

  /** `maxTableSize` bounds the table in bytes, whatever the peer allows. */
  constructor(maxTableSize = INITIAL_TABLE_SIZE) {
    this.#maxTableSize = maxTableSize;
    this.#table = new DynamicTable(INITIAL_TABLE_SIZE, this.#forget.bind(this));
    this.#nextSize = this.#smallestSize = Math.min(maxTableSize, INITIAL_TABLE_SIZE);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. The next block starts with the size update. */
  setPeerTableSize(size: number): void {
    this.#nextSize = Math.min(size, this.#maxTableSize);
    this.#smallestSize = Math.min(this.#smallestSize, this.#nextSize);
  }

  /**
   * Appends the block of the list to `out`. Fields named in `sensitive` are never indexed.
   * @throws {RangeError} for a character over U+00FF; `out` is then as before and the next block is valid
   */
  encode(list: HeaderList, out: ByteWriter, sensitive?: ReadonlySet<string>): void {
    const start = out.length;
    try {
      this.#writeSizeUpdates(out);
      for (let at = 0; at + 1 < list.length; at += 2) {
        this.#writeField(list[at]!, list[at + 1]!, out, sensitive);
      }
    } catch (error) {
      // The peer never sees the block: the next one empties both tables.
      out.length = start;
      this.#smallestSize = 0;
      throw error;
    }
  }

  #writeSizeUpdates(out: ByteWriter): void {
    const { capacity } = this.#table;
    if (this.#smallestSize === capacity && this.#nextSize === capacity) return;
    if (this.#smallestSize < Math.min(capacity, this.#nextSize)) this.#resize(this.#smallestSize, out);
    this.#resize(this.#nextSize, out);
    this.#smallestSize = this.#nextSize;
  }

  #resize(size: number, out: ByteWriter): void {
    writeInteger(out, 0x20, 5, size);
    this.#table.resize(size);
  }

  #writeField(
    name: string,
    value: string,
    out: ByteWriter,
    sensitive: ReadonlySet<string> | undefined,
  ): void {
    const rule = nameRules.get(name) ?? defaultRule;
    const literal = sensitive?.has(name) ? neverIndexed : rule.literal;
    const indexed = this.#names.get(name);
    if (literal !== neverIndexed) {
      const serial = indexed?.values.get(value);
      const index = serial === undefined ? rule.values.get(value) : this.#indexOf(serial);
      if (index !== undefined) return writeInteger(out, 0x80, 7, index);
    }
    // An entry that takes more than half of the table evicts more than it saves.
    const size = name.length + value.length + ENTRY_OVERHEAD;
    const isInserted = literal === incremental && size * 2 <= this.#table.capacity;
    const { pattern, prefixBits } = isInserted || literal !== incremental ? literal : withoutIndexing;
    const nameIndex = rule.index || (indexed ? this.#indexOf(indexed.newest) : 0);
    writeInteger(out, pattern, prefixBits, nameIndex);
    if (nameIndex === 0) writeString(name, out);
    writeString(value, out);
    if (isInserted) this.#insert(name, value);
  }

  #indexOf(serial: number): number {
    return STATIC_ENTRIES + this.#table.inserted - serial;
  }

  #insert(name: string, value: string): void {
    this.#table.insert(name, value);
    const serial = this.#table.inserted - 1;
    const indexed = this.#names.get(name);
    if (indexed) {
      indexed.values.set(value, serial);
      indexed.newest = serial;
    } else this.#names.set(name, { values: new Map([[value, serial]]), newest: serial });
  }

  /** Called for each evicted entry. A value has at most one entry, since the encoder refers to one that exists. */
  #forget(name: string, value: string): void {
    const indexed = this.#names.get(name)!;
    indexed.values.delete(value);
    if (indexed.values.size === 0) this.#names.delete(name);
  }
}
