/**
 * Reads HPACK as a client does: RFC 7541 without its limits. Of its own, since a test that read with the decoder under
 * test would agree with its faults.
 */

/** Names and values of Appendix A. */
const STATIC = (
  ":authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|" +
  ":status=200|:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|" +
  "accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|" +
  "access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|" +
  "content-encoding|content-language|content-length|content-location|content-range|content-type|" +
  "cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|" +
  "if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|" +
  "proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|" +
  "strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate"
).split("|").map((entry): [string, string] => {
  const at = entry.indexOf("=");
  return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
});

/** Appendix B: the length of each symbol's code, in base 36; the code is canonical, so that these define it. */
const LENGTHS = "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca" +
  "d67777777777777777777777878djde6f56565666577666567655677777fbeds" +
  "kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn" +
  "qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq";

const SYMBOLS = symbolsByCode();

/** Decodes the header blocks of one connection, in their order. */
export function hpackReader(): (block: Uint8Array) => [name: string, value: string][] {
  const table: [string, string][] = [];
  return (block) => {
    const fields: [string, string][] = [];
    let at = 0;
    const integer = (prefix: number): number => {
      const most = 2 ** prefix - 1;
      let value = block[at++]! & most;
      if (value < most) return value;
      for (let shift = 1;; shift *= 128) {
        const byte = block[at++]!;
        value += (byte & 127) * shift;
        if (byte < 128) return value;
      }
    };
    const text = (): string => {
      const huffman = block[at]! >= 128;
      const length = integer(7);
      const bytes = block.subarray(at, at += length);
      return huffman ? decodeHuffman(bytes) : String.fromCharCode(...bytes);
    };
    const entry = (index: number): [string, string] => {
      const found = index <= STATIC.length ? STATIC[index - 1] : table[index - STATIC.length - 1];
      if (!found) throw new Error(`Cannot read HPACK: there is no entry ${index}`);
      return found;
    };
    while (at < block.length) {
      const first = block[at]!;
      if (first >= 0x80) fields.push(entry(integer(7)));
      else if (first >= 0x20 && first < 0x40) integer(5); // the table's size, which is never reached here
      else {
        const index = integer(first >= 0x40 ? 6 : 4);
        const field: [string, string] = [index > 0 ? entry(index)[0] : text(), text()];
        fields.push(field);
        if (first >= 0x40) table.unshift(field);
      }
    }
    return fields;
  };
}

function decodeHuffman(bytes: Uint8Array): string {
  let decoded = "";
  let code = "";
  for (const byte of bytes) {
    for (const bit of byte.toString(2).padStart(8, "0")) {
      code += bit;
      const symbol = SYMBOLS.get(code);
      if (symbol === undefined) continue;
      decoded += String.fromCharCode(symbol);
      code = "";
    }
  }
  return decoded;
}

function symbolsByCode(): Map<string, number> {
  const lengths = Array.from(LENGTHS, (digit, symbol) => ({ symbol, length: parseInt(digit, 36) }));
  lengths.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  const symbols = new Map<string, number>();
  let code = 0;
  let last = 0;
  for (const { symbol, length } of lengths) {
    code *= 2 ** (length - last);
    symbols.set(code.toString(2).padStart(length, "0"), symbol);
    code++;
    last = length;
  }
  return symbols;
}
