/** Dynamic table, RFC 7541 2.3.2 and 4: a queue of fields, bounded by size, the newest first. */

/** Overhead of an entry in addition to its name and value. A header list counts its fields likewise. */
export const ENTRY_OVERHEAD = 32;

/** The size of both sides' tables until the encoder changes it, RFC 9113 6.5.2. */
export const INITIAL_TABLE_SIZE = 4096;

export class DynamicTable {
  /** Sum of name + value + 32 over the entries. */
  size = 0;
  /** The size that evicts older entries. */
  capacity: number;
  /** Number of entries. */
  count = 0;
  /** Number of entries ever inserted; also the serial number of the next one. */
  inserted = 0;
  /** Ring buffers, a power of two long; an entry's slot is its serial number modulo the length. */
  #names: string[] = new Array(16).fill("");
  #values: string[] = new Array(16).fill("");
  readonly #onEvict: ((name: string, value: string, serial: number) => void) | undefined;

  constructor(capacity: number, onEvict?: (name: string, value: string, serial: number) => void) {
    this.capacity = capacity;
    this.#onEvict = onEvict;
  }

  /** `age` 0 is the newest entry and `count` - 1 the oldest. */
  nameAt(age: number): string {
    return this.#names[(this.inserted - 1 - age) & (this.#names.length - 1)]!;
  }

  valueAt(age: number): string {
    return this.#values[(this.inserted - 1 - age) & (this.#names.length - 1)]!;
  }

  /** Evicts what the new entry needs room for. An entry over the capacity empties the table and is not stored. */
  insert(name: string, value: string): void {
    const size = name.length + value.length + ENTRY_OVERHEAD;
    this.#evictTo(this.capacity - size);
    if (size > this.capacity) return;
    if (this.count === this.#names.length) this.#grow();
    const slot = this.inserted & (this.#names.length - 1);
    this.#names[slot] = name;
    this.#values[slot] = value;
    this.size += size;
    this.count++;
    this.inserted++;
  }

  resize(capacity: number): void {
    this.capacity = capacity;
    this.#evictTo(capacity);
  }

  clear(): void {
    this.#evictTo(0);
  }

  #evictTo(size: number): void {
    while (this.count > 0 && this.size > size) {
      const serial = this.inserted - this.count;
      const slot = serial & (this.#names.length - 1);
      const name = this.#names[slot]!;
      const value = this.#values[slot]!;
      this.#names[slot] = this.#values[slot] = ""; // lets the strings be collected
      this.size -= name.length + value.length + ENTRY_OVERHEAD;
      this.count--;
      this.#onEvict?.(name, value, serial);
    }
  }

  #grow(): void {
    const old = this.#names.length;
    const names: string[] = new Array(old * 2).fill("");
    const values: string[] = new Array(old * 2).fill("");
    for (let serial = this.inserted - this.count; serial < this.inserted; serial++) {
      names[serial & (old * 2 - 1)] = this.#names[serial & (old - 1)]!;
      values[serial & (old * 2 - 1)] = this.#values[serial & (old - 1)]!;
    }
    this.#names = names;
    this.#values = values;
  }
}
