/** Huffman coding of string literals, RFC 7541 5.2. */
import type { ByteWriter } from "../byte_writer.ts";
import { HpackError } from "./error.ts";
import { codes, EOS, lengths, limits, MAX_CODE_BITS, offsets, symbols } from "./huffman_code.ts";

const MAX_SHORT_BITS = 8;

/** By the next eight bits: the length (above bit 8) and the symbol of a code that they start with, or 0. */
const shortCodes = new Uint16Array(1 << MAX_SHORT_BITS);
for (let symbol = 0; symbol < EOS; symbol++) {
  const free = MAX_SHORT_BITS - lengths[symbol]!;
  if (free < 0) continue;
  const first = codes[symbol]! << free;
  shortCodes.fill(lengths[symbol]! << 8 | symbol, first, first + (1 << free));
}

/** The most bytes that `length` encoded bytes decode to: the shortest code has 5 bits. */
export function decodedBound(length: number): number {
  return Math.floor(length * 8 / 5);
}

/**
 * Decodes bytes[start, end) to `out`, which has room for `decodedBound` bytes. Returns the decoded length.
 * @throws {HpackError} for EOS in the string, padding over seven bits, or padding other than ones
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  const endBit = end * 8;
  let bit = start * 8;
  let length = 0;
  while (bit < endBit) {
    const at = bit >> 3;
    const next = at + 1 < end ? bytes[at + 1]! : 0xff; // ones after the end, like the padding
    const short = shortCodes[((bytes[at]! << 8 | next) >> (8 - (bit & 7))) & 0xff]!;
    const code = short !== 0 ? short : longCode(bytes, bit, end);
    const after = bit + (code >> 8 & 0x1f);
    if (after > endBit) break;
    if (code & EOS_FLAG) throw new HpackError("A Huffman string contains EOS");
    out[length++] = code;
    bit = after;
  }
  if (bit < endBit) checkPadding(bytes[end - 1]!, endBit - bit);
  return length;
}

const EOS_FLAG = 1 << 16;

/** The code of over eight bits at `bit`, like an element of `shortCodes`; bits from `end` on are ones. */
function longCode(bytes: Uint8Array, bit: number, end: number): number {
  const at = bit >> 3;
  const byte = (offset: number) => at + offset < end ? bytes[at + offset]! : 0xff;
  const shift = bit & 7;
  const word = byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
  const window = (word << shift | byte(4) >> (8 - shift)) >>> (32 - MAX_CODE_BITS);
  let length = MAX_SHORT_BITS + 1;
  while (window >= limits[length]!) length++;
  const symbol = symbols[(window >>> (MAX_CODE_BITS - length)) - offsets[length]!]!;
  return symbol === EOS ? EOS_FLAG | length << 8 : length << 8 | symbol;
}

function checkPadding(lastByte: number, bits: number): void {
  const ones = (1 << bits) - 1;
  if (bits > 7) throw new HpackError("A Huffman string ends inside a code or has over seven bits of padding");
  if ((lastByte & ones) !== ones) throw new HpackError("The padding of a Huffman string is not all ones");
}

/**
 * The encoded length of `text` in bytes.
 * @throws {RangeError} for a character over U+00FF
 */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let at = 0; at < text.length; at++) {
    const symbol = text.charCodeAt(at);
    if (symbol > 0xff) {
      throw new RangeError("A header string holds a character over U+00FF: encode it as bytes");
    }
    bits += lengths[symbol]!;
  }
  return (bits + 7) >>> 3;
}

/** Appends the encoded `text`, whose `huffmanLength` the writer has room for. */
export function encodeHuffman(text: string, out: ByteWriter): void {
  const { bytes } = out;
  let at = out.length;
  let current = 0;
  let free = 8; // bits of `current`
  for (let index = 0; index < text.length; index++) {
    const symbol = text.charCodeAt(index);
    let code = codes[symbol]!;
    let length = lengths[symbol]!;
    while (length >= free) {
      length -= free;
      bytes[at++] = current | code >>> length;
      code &= (1 << length) - 1;
      current = 0;
      free = 8;
    }
    current |= code << (free - length);
    free -= length;
  }
  if (free < 8) bytes[at++] = current | ((1 << free) - 1);
  out.length = at;
}
