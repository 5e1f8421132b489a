/** String literals, RFC 7541 5.2. */
import type { ByteWriter } from "../byte_writer.ts";
import { fromLatin1, putLatin1 } from "../latin1.ts";
import { HpackError } from "./error.ts";
import { decodedBound, decodeHuffman, encodeHuffman, huffmanLength } from "./huffman.ts";
import { type Cursor, readInteger, writeInteger } from "./integers.ts";

const HUFFMAN = 0x80;

/** Shared between decoders: decoding is synchronous and nothing keeps a view of it. */
const scratch = new Uint8Array(8192);

/**
 * Reads a string. Returns undefined for one over `limit` characters: it is checked and skipped, not stored.
 * @throws {HpackError} for a truncated string or an invalid Huffman code
 */
export function readString(cursor: Cursor, limit: number): string | undefined {
  const { bytes, end } = cursor;
  const isHuffman = cursor.at < end && bytes[cursor.at]! >= HUFFMAN;
  const length = readInteger(cursor, 7);
  const start = cursor.at;
  const stop = start + length;
  if (stop > end) throw new HpackError("The header block ends inside a string");
  cursor.at = stop;
  if (!isHuffman) return length > limit ? undefined : fromLatin1(bytes, start, stop);
  const bound = decodedBound(length);
  const decoded = bound <= scratch.length ? scratch : new Uint8Array(bound);
  const decodedLength = decodeHuffman(bytes, start, stop, decoded);
  return decodedLength > limit ? undefined : fromLatin1(decoded, 0, decodedLength);
}

/**
 * The end of the string at the cursor, which stays there.
 * @throws {HpackError} for a truncated string
 */
export function stringEnd(cursor: Cursor): number {
  const { at } = cursor;
  const length = readInteger(cursor, 7);
  const end = cursor.at + length;
  cursor.at = at;
  if (end > cursor.end) throw new HpackError("The header block ends inside a string");
  return end;
}

/**
 * Appends a string, Huffman-coded when that is shorter.
 * @throws {RangeError} for a character over U+00FF; nothing is written then
 */
export function writeString(text: string, out: ByteWriter): void {
  const encodedLength = huffmanLength(text);
  const isShorter = encodedLength < text.length;
  const length = isShorter ? encodedLength : text.length;
  writeInteger(out, isShorter ? HUFFMAN : 0, 7, length);
  out.reserve(length);
  if (isShorter) return encodeHuffman(text, out);
  putLatin1(text, out.bytes, out.length);
  out.length += length;
}
