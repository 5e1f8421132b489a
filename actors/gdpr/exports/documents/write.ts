/** Gzip writer of a document: splits the compressed bytes into chunks, and counts and hashes the text. */
import { createHash } from "node:crypto";
import type { Text } from "./contents.ts";

/** Size and SHA-256 of the uncompressed document. */
export interface Digest {
  bytes: number;
  sha256: Uint8Array;
}

/** @param writeChunk is awaited before more text is read: back-pressure */
export async function writeGzip(
  text: Text,
  chunkBytes: number,
  writeChunk: (chunk: Uint8Array<ArrayBuffer>, isLast: boolean) => Promise<void>,
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
  let pending: Uint8Array<ArrayBuffer> | undefined;
  for await (const chunk of gzipChunks(gzip, chunkBytes)) {
    if (pending) await writeChunk(pending, false);
    pending = chunk;
  }
  await writeChunk(pending ?? new Uint8Array(), true);
  return { bytes, sha256: new Uint8Array(hash.digest()) };
}

/** Splits a stream into chunks of `size` bytes; the last one may be shorter. */
async function* gzipChunks(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let buffer = new Uint8Array(size);
  let filled = 0;
  for await (let piece of stream) {
    while (piece.byteLength > 0) {
      const head = piece.subarray(0, size - filled);
      buffer.set(head, filled);
      filled += head.byteLength;
      piece = piece.subarray(head.byteLength);
      if (filled < size) continue;
      yield buffer;
      buffer = new Uint8Array(size);
      filled = 0;
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}
