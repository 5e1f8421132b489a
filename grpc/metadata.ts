/** Metadata of a call: its HTTP/2 header list, read. */
import type { HeaderList } from "./hpack/mod.ts";

export class Metadata {
  constructor(
    /** Names and values in turn, pseudo-headers included. Shared between calls: not to be modified. */
    readonly list: HeaderList,
  ) {}

  /** The first value of a name, which is in lower case. */
  get(name: string): string | undefined {
    const { list } = this;
    for (let at = 0; at < list.length; at += 2) if (list[at] === name) return list[at + 1];
    return undefined;
  }

  /** Every value of a name, as it was sent: a list in one value stays one value. */
  getAll(name: string): string[] {
    const { list } = this;
    const values: string[] = [];
    for (let at = 0; at < list.length; at += 2) if (list[at] === name) values.push(list[at + 1]!);
    return values;
  }

  /**
   * The values of a binary name, which ends with `-bin`: base64, padded or not, several with commas between.
   *
   * @returns undefined when one is not base64
   */
  getBinary(name: string): Uint8Array[] | undefined {
    try {
      return this.getAll(name).flatMap((value) => value.split(",")).map((value) =>
        Uint8Array.fromBase64(value.trim())
      );
    } catch {
      return undefined;
    }
  }
}

const PLAIN = /^[\x20-\x24\x26-\x7e]*$/;

/** Percent-encodes a status message, as `grpc-message` carries it. */
export function encodeMessage(message: string): string {
  if (PLAIN.test(message)) return message;
  let encoded = "";
  for (const byte of new TextEncoder().encode(message)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** Decodes `grpc-message`; what is not percent-encoded stays as it is. */
export function decodeMessage(value: string): string {
  if (!value.includes("%")) return value;
  const bytes: number[] = [];
  for (let at = 0; at < value.length; at++) {
    const hex = value[at] === "%" ? value.slice(at + 1, at + 3) : "";
    if (/^[0-9a-f]{2}$/i.test(hex)) {
      bytes.push(parseInt(hex, 16));
      at += 2;
    } else {
      bytes.push(value.charCodeAt(at));
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
