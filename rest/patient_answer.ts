/** Answers while the request is still being read, as fast as the client reads and not for ever. */
import { unlessSilent } from "./lines.ts";

export interface AnswerOptions {
  /** Bytes that may wait for a client that reads nothing until it has sent everything. */
  unread: number;
  /** How long the client may read nothing when it should, in milliseconds. */
  patienceMs: number;
}

/** @param pieces of the answer, and undefined where more of the request has to be read before the next one */
export function answerWith(
  pieces: AsyncIterable<string | undefined>,
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
  pieces: AsyncIterable<string | undefined>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  patienceMs: number,
): Promise<void> {
  const encoder = new TextEncoder();
  writer.closed.catch(() => {}); // what waits for the writer hears of it too
  let taken = Promise.resolve();
  try {
    for await (const piece of pieces) {
      if (piece === undefined) await quiet(taken);
      else {
        if ((writer.desiredSize ?? 0) <= 0) await unlessSilent(writer.ready, patienceMs);
        taken = writer.write(encoder.encode(piece)).catch(() => {});
      }
    }
    await closeOnceRead(writer, patienceMs);
  } catch (error) {
    await writer.abort(error).catch(() => {});
  }
}

/**
 * Waits until the answer so far is on its way. Deno 2.8.3 to 2.9.5 forgets to deliver a body to whom it has kept
 * waiting when an answer was written meanwhile (https://github.com/denoland/deno/issues/36624), so nothing is read
 * before that. A client that reads nothing does not hold it up: nothing is written to it either.
 */
async function quiet(taken: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const limit = setTimeout(late.resolve, 200);
  await Promise.race([taken, late.promise]);
  clearTimeout(limit);
  await new Promise((resolve) => setTimeout(resolve, 2));
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
