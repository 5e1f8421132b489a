/** Splits the bytes of a connection into frames, in one buffer that grows only for peers that send much at once. */
import { CODE, ConnectionError, FRAME_HEADER_BYTES } from "./protocol.ts";

const FIRST_BUFFER_BYTES = 2_048;

/** The payload is `bytes[start, end)`, valid only during the call. */
export type FrameHandler = (
  type: number,
  flags: number,
  stream: number,
  bytes: Uint8Array,
  start: number,
  end: number,
) => void;

export class FrameReader {
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  #start = 0;
  #end = 0;
  readonly #maxFrameBytes: number;
  readonly #largestBuffer: number;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#largestBuffer = 2 * (maxFrameBytes + FRAME_HEADER_BYTES);
  }

  /** Free space to read into; never empty unless `frames` has thrown. */
  room(): Uint8Array {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    return this.#buffer.subarray(this.#end);
  }

  /** Takes note of bytes that were read into `room()`. */
  filled(count: number): void {
    this.#end += count;
    if (this.#end < this.#buffer.length || this.#buffer.length >= this.#largestBuffer) return;
    const larger = new Uint8Array(Math.min(this.#buffer.length * 4, this.#largestBuffer));
    larger.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = larger;
  }

  /** Drops all bytes that were read, so that `room()` has the whole buffer again, also after an error in `frames`. */
  clear(): void {
    this.#start = this.#end = 0;
  }

  /** Removes `expected` from the front. Undefined while it may still arrive, false when other bytes came. */
  skip(expected: Uint8Array): boolean | undefined {
    const available = Math.min(expected.length, this.#end - this.#start);
    for (let at = 0; at < available; at++) {
      if (this.#buffer[this.#start + at] !== expected[at]) return false;
    }
    if (available < expected.length) return undefined;
    this.#start += expected.length;
    return true;
  }

  /**
   * Hands over each complete frame.
   *
   * @throws {ConnectionError} FRAME_SIZE_ERROR; and what the handler throws, after which reading can go on
   */
  frames(handle: FrameHandler): void {
    const bytes = this.#buffer;
    while (this.#end - this.#start >= FRAME_HEADER_BYTES) {
      const at = this.#start;
      const length = bytes[at]! << 16 | bytes[at + 1]! << 8 | bytes[at + 2]!;
      if (length > this.#maxFrameBytes) {
        throw new ConnectionError(
          CODE.FRAME_SIZE_ERROR,
          `a frame of ${length} bytes, at most ${this.#maxFrameBytes}`,
        );
      }
      const payload = at + FRAME_HEADER_BYTES;
      if (payload + length > this.#end) return;
      this.#start = payload + length;
      handle(bytes[at + 3]!, bytes[at + 4]!, uint31(bytes, at + 5), bytes, payload, payload + length);
    }
  }
}

export function uint31(bytes: Uint8Array, at: number): number {
  return (bytes[at]! & 0x7f) << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!;
}

export function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}
