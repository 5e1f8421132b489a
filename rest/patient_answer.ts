/** Answers while the request is still being read, as fast as the client reads and not for ever. */
import { unlessSilent } from "./lines.ts";

export interface AnswerOptions {
  /** Bytes that may wait for a client that reads nothing until it has sent everything. */
  unread: number;
  /** How long the client may read nothing when it should, in milliseconds. */
  patienceMs: number;
}

/** @param pieces of the answer, each written as soon as it is there */
export function answerWith(
  pieces: AsyncIterable<string>,
  { unread, patienceMs }: AnswerOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const answer = new TransformStream<Uint8Array<ArrayBuffer>>(
    undefined,
    new ByteLengthQueuingStrategy({ highWaterMark: unread }),
  );
  send(pieces, answer.writable.getWriter(), patienceMs);
  return answer.readable;
}

/** Never fails: a client that has gone, or reads nothing, ends it. */
async function send(
  pieces: AsyncIterable<string>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  patienceMs: number,
): Promise<void> {
  const encoder = new TextEncoder();
  writer.closed.catch(() => {}); // what waits for the writer hears of it too
  try {
    for await (const piece of pieces) {
      if ((writer.desiredSize ?? 0) <= 0) await unlessSilent(writer.ready, patienceMs);
      writer.write(encoder.encode(piece)).catch(() => {});
    }
    await closeOnceRead(writer, patienceMs);
  } catch (error) {
    await writer.abort(error).catch(() => {});
  }
}

/** Waits as long as the client goes on reading. */
async function closeOnceRead(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  patienceMs: number,
): Promise<void> {
  const closing = writer.close();
  for (;;) {
    const room = writer.desiredSize;
    try {
      return await unlessSilent(closing, patienceMs);
    } catch (error) {
      const gone = writer.desiredSize === null;
      if (gone || writer.desiredSize === room) throw error;
    }
  }
}
