/** Strings with one character per byte (ISO 8859-1, unlike the Encoding Standard's "latin1"). */
import { Buffer } from "node:buffer";

/** Below this length, building the string in JavaScript is faster than a call into the runtime. */
const SHORT = 32;

export function fromLatin1(bytes: Uint8Array, start: number, end: number): string {
  if (end - start >= SHORT) {
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
  }
  let text = "";
  let at = start;
  for (; at + 4 <= end; at += 4) {
    text += String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
  }
  for (; at < end; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

/** Writes `text`, whose characters are at most U+00FF, to `bytes` from `at` on. */
export function putLatin1(text: string, bytes: Uint8Array, at: number): void {
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
}
