/** TLS socket of node:tls as a byte stream. */
import { Buffer } from "node:buffer";
import type { TLSSocket } from "node:tls";
import type { ByteStream } from "./http2/byte_stream.ts";

/** Bytes that wait for a reader before the socket is paused. */
const HIGH_WATER_BYTES = 65_536;

export function tlsByteStream(socket: TLSSocket): ByteStream {
  const chunks: Uint8Array[] = [];
  let waiting = 0;
  let isOver = false;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const over = (error?: Error) => {
    isOver = true;
    failure ??= error;
    wake?.();
  };
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    waiting += chunk.length;
    if (waiting > HIGH_WATER_BYTES) socket.pause();
    wake?.();
  });
  socket.once("end", () => over());
  socket.once("close", () => over());
  socket.on("error", over);
  socket.setNoDelay(true);
  return {
    async read(into) {
      while (chunks.length === 0) {
        if (isOver) {
          if (failure) throw failure;
          return null;
        }
        await new Promise<void>((resolve) => wake = resolve);
        wake = undefined;
      }
      let count = 0;
      while (chunks.length > 0 && count < into.length) {
        const chunk = chunks[0]!;
        const bytes = Math.min(chunk.length, into.length - count);
        into.set(chunk.subarray(0, bytes), count);
        count += bytes;
        if (bytes === chunk.length) chunks.shift();
        else chunks[0] = chunk.subarray(bytes);
      }
      waiting -= count;
      if (waiting <= HIGH_WATER_BYTES && socket.isPaused()) socket.resume();
      return count;
    },
    write(bytes) {
      return new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Deno.errors.BrokenPipe("the connection is closed"));
        const failed = () => reject(new Deno.errors.BrokenPipe("the connection is closed"));
        socket.once("close", failed);
        socket.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), (error) => {
          socket.off("close", failed);
          if (error) reject(error);
          else resolve(bytes.length);
        });
      });
    },
    closeWrite: () => new Promise((resolve) => socket.end(() => resolve())),
    close: () => socket.destroy(),
  };
}
