/** Stall timeouts for streamed request and response bodies. */
import { DomainError } from "../domain/errors.ts";
import { withTimeout } from "../lib/timeout.ts";

export interface Pace {
  /** Time that the client may take for `bytes`, in milliseconds. The service's own processing time does not count. */
  stallMs: number;
  bytes: number;
}

export const PACE: Pace = { stallMs: 60_000, bytes: 1_024 };

/** The first 100 chunks may have any size. After them the average must be at least 16 bytes. */
const FREE_CHUNKS = 100;
const BYTES_PER_CHUNK = 16;

/**
 * Passes the body through and fails when the client sends too slowly.
 *
 * @throws {DomainError} INVALID_INPUT, to the reader: the client is too slow, or its chunks are too small
 */
export function pacedUpload(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { stallMs, bytes }: Pace = PACE,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let [chunks, length, waitedMs, receivedBytes] = [0, 0, 0, 0];
  const slow = () =>
    refusal(`the client has sent fewer than ${bytes} bytes in ${stallMs / 1_000} seconds of waiting`);
  return new ReadableStream({
    async pull(controller) {
      const started = performance.now();
      const { done, value } = await withTimeout(reader.read(), Math.max(0, stallMs - waitedMs), () => {
        throw slow();
      });
      if (done) return controller.close();
      waitedMs += performance.now() - started;
      receivedBytes += value.byteLength;
      if (receivedBytes >= bytes) [waitedMs, receivedBytes] = [0, 0];
      chunks++;
      length += value.byteLength;
      if (chunks > FREE_CHUNKS + length / BYTES_PER_CHUNK) {
        throw refusal(`the client sends chunks of fewer than ${BYTES_PER_CHUNK} bytes on average`);
      }
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function refusal(reason: string): DomainError {
  return new DomainError("INVALID_INPUT", `Cannot continue: ${reason}`);
}

/** Bytes that a client has to read within `stallMs`. */
const PIECE = 16 * 1_024;

export interface DownloadOptions {
  /** Time that the client may take for 16 KiB, in milliseconds. */
  stallMs?: number;
  /** Called once, when the response has completed, failed or been canceled. */
  onEnd?: () => void;
}

export interface ConfirmationOptions {
  /** Called before the last byte of the response is sent. If it fails, the client sees an incomplete response. */
  delivered: () => Promise<void>;
  /** Interval in which a closed connection is noticed, in milliseconds. */
  lingerMs?: number;
}

/**
 * Passes the response through and reports its delivery. HTTP has no acknowledgment: a short response counts as sent
 * although the client has closed the connection. So this waits before the last byte, and a client that leaves within
 * that time has not received the response. A client that decompresses may leave as soon as it has the last byte.
 */
export function confirmedDownload(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { delivered, lingerMs = 250 }: ConfirmationOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let leave = () => {};
  let lastByte = new Uint8Array(0);
  return new ReadableStream({
    async pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        if (value.byteLength === 0) continue;
        const block = new Uint8Array(lastByte.byteLength + value.byteLength - 1);
        block.set(lastByte);
        block.set(value.subarray(0, -1), lastByte.byteLength);
        lastByte = value.slice(-1);
        if (block.byteLength > 0) return controller.enqueue(block);
      }
      const stays = await new Promise<boolean>((resolve) => {
        leave = () => resolve(false);
        timer = setTimeout(resolve, lingerMs, true);
      });
      if (!stays) return;
      await delivered();
      if (lastByte.byteLength > 0) controller.enqueue(lastByte);
      controller.close();
    },
    async cancel(reason) {
      clearTimeout(timer);
      leave();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/** Passes the response through in pieces and fails when the client stops reading, which closes the connection. */
export function pacedDownload(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { stallMs = PACE.stallMs, onEnd = () => {} }: DownloadOptions = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let rest = new Uint8Array(0);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const end = () => {
    clearTimeout(timer);
    if (!ended) onEnd();
    ended = true;
  };
  const startClock = (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    timer = setTimeout(() => {
      const stalled = refusal(`the client has read nothing for ${stallMs / 1_000} seconds`);
      controller.error(stalled);
      reader.cancel(stalled).catch(() => {});
      end();
    }, stallMs);
  };
  return new ReadableStream({
    start: startClock,
    async pull(controller) {
      clearTimeout(timer);
      try {
        while (rest.byteLength === 0) {
          const { done, value } = await reader.read();
          if (done) {
            controller.close();
            return end();
          }
          rest = value;
        }
      } catch (error) {
        end();
        throw error;
      }
      if (ended) return;
      controller.enqueue(rest.subarray(0, PIECE));
      rest = rest.subarray(PIECE);
      startClock(controller);
    },
    async cancel(reason) {
      end();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
