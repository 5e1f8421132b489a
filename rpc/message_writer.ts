/**
 * Writer of one protobuf message, from its last field to its first, so that the length of a nested message is known when
 * it is written. Gives the bytes that protobuf-es gives, if the fields are written in falling order of their numbers.
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** Of a varint with 64 bits. */
const LONGEST_VARINT = 10;
/** Room for some messages in one allocation, which takes longer than writing a message. */
const CHUNK_BYTES = 8_192;

export class MessageWriter {
  #bytes = new Uint8Array(CHUNK_BYTES);
  /** The message is `#bytes[#at, #end)`; messages that were taken follow. */
  #at = CHUNK_BYTES;
  #end = CHUNK_BYTES;

  /** Takes the message, which shares its buffer with others. The writer is empty afterwards. */
  take(): Uint8Array {
    const message = this.#bytes.subarray(this.#at, this.#end);
    this.#end = this.#at;
    return message;
  }

  /** A position to give to `message`: before the fields of a nested message are written. */
  get mark(): number {
    return this.#end - this.#at;
  }

  /** Makes a nested message of the fields that were written since `mark`. */
  message(field: number, mark: number): void {
    this.#reserve(2 * LONGEST_VARINT);
    this.#prefix(field, this.mark - mark);
  }

  /** Writes a string of a field with `optional`, unless it is absent. */
  optional(field: number, text: string | null | undefined): void {
    if (text !== null && text !== undefined) this.#string(field, text);
  }

  /** Writes a string of a field without `optional`, which is left out when it is empty. */
  nonEmpty(field: number, text: string): void {
    if (text !== "") this.#string(field, text);
  }

  /**
   * Writes an int32, int64 or enum of a field without `optional`, which is left out when it is 0.
   *
   * @param value an integer that a double holds exactly
   */
  nonZero(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(2 * LONGEST_VARINT);
    if (value < 0) this.#negative(value);
    else this.#varint(value);
    this.#varint(field << 3 | VARINT);
  }

  #string(field: number, text: string): void {
    const { length } = text;
    this.#reserve(length + 2 * LONGEST_VARINT);
    const start = this.#at - length;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return this.#bytesOf(field, new TextEncoder().encode(text));
      this.#bytes[start + index] = code;
    }
    this.#at = start;
    this.#prefix(field, length);
  }

  #bytesOf(field: number, bytes: Uint8Array): void {
    this.#reserve(bytes.length + 2 * LONGEST_VARINT);
    this.#at -= bytes.length;
    this.#bytes.set(bytes, this.#at);
    this.#prefix(field, bytes.length);
  }

  #prefix(field: number, length: number): void {
    this.#varint(length);
    this.#varint(field << 3 | LENGTH_DELIMITED);
  }

  #varint(value: number): void {
    let size = 1;
    for (let left = value; left >= 0x80; left = Math.floor(left / 0x80)) size++;
    let at = this.#at -= size;
    for (; value >= 0x80; value = Math.floor(value / 0x80)) this.#bytes[at++] = value % 0x80 | 0x80;
    this.#bytes[at] = value;
  }

  /** Sign-extended to 64 bits, also for int32. */
  #negative(value: number): void {
    let left = BigInt.asUintN(64, BigInt(value));
    let at = this.#at -= LONGEST_VARINT;
    for (; left >= 0x80n; left >>= 7n) this.#bytes[at++] = Number(left & 0x7fn) | 0x80;
    this.#bytes[at] = Number(left);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#at) return;
    const written = this.#bytes.subarray(this.#at, this.#end);
    const larger = new Uint8Array(Math.max(CHUNK_BYTES, 2 * (written.length + bytes)));
    this.#end = larger.length;
    this.#at = larger.length - written.length;
    larger.set(written, this.#at);
    this.#bytes = larger;
  }
}
