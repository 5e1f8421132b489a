/** Length-prefixed messages: a flag, four bytes of length, and the message, cut into DATA frames in any way. */
import { gunzipSync, inflateSync } from "node:zlib";
import { GrpcError } from "./status.ts";

const PREFIX_BYTES = 5;

export interface MessageLimits {
  /** Of a message, compressed and not. */
  messageBytes: number;
}

/** A message over the limit of this side. */
export class MessageTooLargeError extends GrpcError {
  override name = "MessageTooLargeError";
}

const DECOMPRESS = { gzip: gunzipSync, deflate: inflateSync } as const;
export type Encoding = keyof typeof DECOMPRESS;

export const ACCEPTED_ENCODINGS = "identity,deflate,gzip";

export function isEncoding(name: string): name is Encoding {
  return Object.hasOwn(DECOMPRESS, name);
}

const sharedPrefix = new Uint8Array(PREFIX_BYTES);

/** The prefix of a message that is not compressed, in an array that the next call changes. */
export function prefixOf({ length }: Uint8Array): Uint8Array {
  sharedPrefix[1] = length >>> 24;
  sharedPrefix[2] = length >>> 16;
  sharedPrefix[3] = length >>> 8;
  sharedPrefix[4] = length;
  return sharedPrefix;
}

/** A message announces its length before it arrives: room is made as its bytes come. */
const FIRST_ROOM_BYTES = 1_024;

/** Reassembles messages. */
export class MessageReader {
  readonly #limit: number;
  readonly #encoding: Encoding | undefined;
  readonly #onMessage: (message: Uint8Array, isCompressed: boolean) => void;
  readonly #prefix = new Uint8Array(PREFIX_BYTES);
  #prefixBytes = 0;
  #length = 0;
  #message: Uint8Array | undefined;
  #messageBytes = 0;

  constructor(
    { messageBytes }: MessageLimits,
    encoding: Encoding | undefined,
    onMessage: (message: Uint8Array, isCompressed: boolean) => void,
  ) {
    this.#limit = messageBytes;
    this.#encoding = encoding;
    this.#onMessage = onMessage;
  }

  /** Bytes that are held for a message that is not complete. */
  get held(): number {
    return this.#message?.length ?? 0;
  }

  /** Whether it stands between two messages. */
  get isComplete(): boolean {
    return this.#prefixBytes === 0;
  }

  /**
   * Takes `bytes[start, end)`.
   *
   * @throws {GrpcError} RESOURCE_EXHAUSTED: a message over the limit; INTERNAL: a wrong prefix; and what the receiver throws
   */
  push(bytes: Uint8Array, start: number, end: number): void {
    for (;;) {
      if (this.#prefixBytes < PREFIX_BYTES) {
        if (start === end) return;
        const count = Math.min(PREFIX_BYTES - this.#prefixBytes, end - start);
        this.#prefix.set(bytes.subarray(start, start + count), this.#prefixBytes);
        this.#prefixBytes += count;
        start += count;
        if (this.#prefixBytes < PREFIX_BYTES) return;
        this.#begin(end - start);
      }
      const count = Math.min(this.#length - this.#messageBytes, end - start);
      this.#append(bytes, start, count);
      start += count;
      if (this.#messageBytes < this.#length) return;
      const message = this.#message!;
      this.#prefixBytes = 0;
      this.#message = undefined;
      this.#onMessage(message, this.#prefix[0] === 1);
    }
  }

  #append(bytes: Uint8Array, start: number, count: number): void {
    const needed = this.#messageBytes + count;
    if (needed > this.#message!.length) {
      const larger = new Uint8Array(Math.min(this.#length, Math.max(needed, this.#message!.length * 2)));
      larger.set(this.#message!.subarray(0, this.#messageBytes));
      this.#message = larger;
    }
    this.#message!.set(bytes.subarray(start, start + count), this.#messageBytes);
    this.#messageBytes = needed;
  }

  #begin(available: number): void {
    const [flag, a, b, c, d] = this.#prefix as unknown as [number, number, number, number, number];
    const length = (a << 24 | b << 16 | c << 8 | d) >>> 0;
    if (flag > 1) {
      throw new GrpcError("INTERNAL", "Cannot read the message: its compression flag is not 0 or 1");
    }
    if (flag === 1 && !this.#encoding) {
      throw new GrpcError("INTERNAL", "Cannot read the message: it is compressed without grpc-encoding");
    }
    if (length > this.#limit) throw tooLarge(this.#limit);
    this.#length = length;
    this.#message = new Uint8Array(Math.min(length, Math.max(available, FIRST_ROOM_BYTES)));
    this.#messageBytes = 0;
  }

  /**
   * Decompresses a message.
   *
   * @throws {GrpcError} RESOURCE_EXHAUSTED: it unpacks to more than the limit; INTERNAL: it cannot be read
   */
  unpack(message: Uint8Array): Uint8Array {
    try {
      const plain = DECOMPRESS[this.#encoding!](message, { maxOutputLength: this.#limit });
      return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength);
    } catch (cause) {
      if ((cause as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(this.#limit);
      throw new GrpcError("INTERNAL", `Cannot read the message: it is not ${this.#encoding}`, { cause });
    }
  }
}

function tooLarge(limit: number): MessageTooLargeError {
  return new MessageTooLargeError(
    "RESOURCE_EXHAUSTED",
    `Cannot read the message: it has more than ${limit} bytes`,
  );
}
