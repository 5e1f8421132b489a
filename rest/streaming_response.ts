/** Streams a response while the request body is still being read, with back-pressure and a stall timeout. */
import { withStallTimeout } from "./line_splitter.ts";

export interface StreamingOptions {
  /** Size of the buffer for a client that reads nothing until it has sent the whole request, in bytes. */
  maxUnreadBytes: number;
  /** Time in milliseconds after which a client that reads nothing times out once the buffer is full. */
  stallMs: number;
  /** Called when the client has closed the connection, which a pending read of the request does not notice. */
  onDisconnect?: () => void;
}

/** @param pieces pieces of the response, each written as soon as it is available */
export function streamResponse(
  pieces: AsyncIterable<string>,
  { maxUnreadBytes, stallMs, onDisconnect = () => {} }: StreamingOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const response = new TransformStream<Uint8Array<ArrayBuffer>>(
    undefined,
    new ByteLengthQueuingStrategy({ highWaterMark: maxUnreadBytes }),
  );
  const writer = response.writable.getWriter();
  writer.closed.catch(onDisconnect); // the pending operations of the writer reject as well
  send(pieces, writer, stallMs);
  return response.readable;
}

/** Never rejects: if the client closes the connection or reads nothing, the stream is aborted. */
async function send(
  pieces: AsyncIterable<string>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  stallMs: number,
): Promise<void> {
  const encoder = new TextEncoder();
  try {
    for await (const piece of pieces) {
      if ((writer.desiredSize ?? 0) <= 0) await withStallTimeout(writer.ready, stallMs);
      writer.write(encoder.encode(piece)).catch(() => {});
    }
    await closeOnceRead(writer, stallMs);
  } catch (error) {
    await writer.abort(error).catch(() => {});
  }
}

/** Closes the stream. Waits for as long as the client keeps reading. */
async function closeOnceRead(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  stallMs: number,
): Promise<void> {
  const closing = writer.close();
  for (;;) {
    const freeBytes = writer.desiredSize;
    try {
      return await withStallTimeout(closing, stallMs);
    } catch (error) {
      const isErrored = writer.desiredSize === null;
      if (isErrored || writer.desiredSize === freeBytes) throw error;
    }
  }
}
