/** Prefix integers, RFC 7541 5.1. */
import type { ByteWriter } from "../byte_writer.ts";
import { HpackError } from "./error.ts";

/** Read position in a header block that ends before `end`. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
}

const MAX_INTEGER = 2 ** 31 - 1;
/** Five bytes carry 35 bits. More are an overflow or padding with zeros. */
const MAX_CONTINUATION_BYTES = 5;

/**
 * Reads an integer whose first byte, at the cursor, holds `prefixBits` bits of it.
 * @throws {HpackError} over 2^31 - 1, over five continuation bytes, or past the end
 */
export function readInteger(cursor: Cursor, prefixBits: number): number {
  if (cursor.at >= cursor.end) throw new HpackError("The header block ends where an integer is expected");
  const mask = (1 << prefixBits) - 1;
  const prefix = cursor.bytes[cursor.at++]! & mask;
  return prefix < mask ? prefix : readContinuation(cursor, mask);
}

function readContinuation(cursor: Cursor, prefix: number): number {
  let value = prefix;
  for (let read = 0; read < MAX_CONTINUATION_BYTES; read++) {
    if (cursor.at >= cursor.end) throw new HpackError("The header block ends inside an integer");
    const byte = cursor.bytes[cursor.at++]!;
    value += (byte & 0x7f) * 2 ** (7 * read);
    if (value > MAX_INTEGER) throw new HpackError(`An integer exceeds ${MAX_INTEGER}`);
    if (byte < 0x80) return value;
  }
  throw new HpackError(`An integer has more than ${MAX_CONTINUATION_BYTES} continuation bytes`);
}

/** Appends `value` with a prefix of `prefixBits` bits; `pattern` holds the bits above the prefix. */
export function writeInteger(out: ByteWriter, pattern: number, prefixBits: number, value: number): void {
  out.reserve(1 + MAX_CONTINUATION_BYTES);
  const { bytes } = out;
  const mask = (1 << prefixBits) - 1;
  if (value < mask) {
    bytes[out.length++] = pattern | value;
    return;
  }
  bytes[out.length++] = pattern | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) bytes[out.length++] = 0x80 | (rest & 0x7f);
  bytes[out.length++] = rest;
}
