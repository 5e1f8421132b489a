/**
 * The Huffman code of RFC 7541 Appendix B. It is canonical: codes ascend by length, then by symbol, so the
 * lengths define it.
 */

/** The code length of each symbol, one base-36 digit a symbol, 64 symbols a line. The last symbol is EOS. */
const LENGTHS = "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca" +
  "d67777777777777777777777878djde6f56565666577666567655677777fbeds" +
  "kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn" +
  "qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq" +
  "u";

export const EOS = 256;
export const MAX_CODE_BITS = 30;

/** Code length in bits, by symbol without EOS. */
export const lengths = Uint8Array.from(LENGTHS.slice(0, EOS), (digit) => parseInt(digit, 36));
/** Code, right-aligned, by symbol without EOS. */
export const codes = new Uint32Array(EOS);
/** All symbols in the order of their codes. */
export const symbols = new Uint16Array(EOS + 1);
/** By length: the first code that is longer, left-aligned to MAX_CODE_BITS bits. */
export const limits = new Uint32Array(MAX_CODE_BITS + 1);
/** By length: what to subtract from a right-aligned code to get its position in `symbols`. */
export const offsets = new Int32Array(MAX_CODE_BITS + 1);

let code = 0;
let position = 0;
for (let length = 1; length <= MAX_CODE_BITS; length++) {
  code <<= 1;
  offsets[length] = code - position;
  for (let symbol = 0; symbol <= EOS; symbol++) {
    if (parseInt(LENGTHS[symbol]!, 36) !== length) continue;
    if (symbol < EOS) codes[symbol] = code;
    symbols[position++] = symbol;
    code++;
  }
  limits[length] = code << (MAX_CODE_BITS - length);
}
