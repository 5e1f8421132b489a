/** Takes a document's text through gzip, in chunks of a size, while it counts and hashes the text itself. */
import { createHash } from "node:crypto";
import type { Text } from "./contents.ts";

/** Of the uncompressed document. */
export interface Digest {
  bytes: number;
  sha256: Uint8Array;
}

/** @param keep is waited for, so that the text is not made faster than it is kept */
export async function writeGzip(
  text: Text,
  chunkBytes: number,
  keep: (chunk: Uint8Array<ArrayBuffer>, last: boolean) => Promise<void>,
): Promise<Digest> {
  const hash = createHash("sha256");
  let bytes = 0;
  async function* encoded() {
    const encoder = new TextEncoder();
    for await (const piece of text) {
      const part = encoder.encode(piece);
      hash.update(part);
      bytes += part.byteLength;
      yield part;
    }
  }
  const gzip = ReadableStream.from(encoded()).pipeThrough(new CompressionStream("gzip"));
  let held: Uint8Array<ArrayBuffer> | undefined;
  for await (const chunk of inChunks(gzip, chunkBytes)) {
    if (held) await keep(held, false);
    held = chunk;
  }
  await keep(held ?? new Uint8Array(), true);
  return { bytes, sha256: new Uint8Array(hash.digest()) };
}

/** The same bytes, each chunk but the last of exactly the size. */
async function* inChunks(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let buffer = new Uint8Array(size);
  let filled = 0;
  for await (let piece of stream) {
    while (piece.byteLength > 0) {
      const taken = piece.subarray(0, size - filled);
      buffer.set(taken, filled);
      filled += taken.byteLength;
      piece = piece.subarray(taken.byteLength);
      if (filled < size) continue;
      yield buffer;
      buffer = new Uint8Array(size);
      filled = 0;
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}
