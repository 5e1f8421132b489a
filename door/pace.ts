/** Clocks over bodies that are streamed, in both directions. */
import { DomainError } from "../domain/errors.ts";
import { withTimeout } from "../lib/timeout.ts";

export interface Pace {
  /** How long the client may take over `bytes`, in milliseconds. Time that the service takes itself does not count. */
  stallMs: number;
  bytes: number;
}

export const PACE: Pace = { stallMs: 60_000, bytes: 1_024 };

/** So many chunks may have any size; from then on they hold at least so many bytes on average. */
const FREE_CHUNKS = 100;
const BYTES_PER_CHUNK = 16;

/**
 * The body as long as it arrives at that pace; then it fails.
 *
 * @throws {DomainError} INVALID_INPUT, to the reader: the client is too slow, or sends it in crumbs
 */
export function pacedUpload(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { stallMs, bytes }: Pace = PACE,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let [chunks, length, waitedMs, sinceThen] = [0, 0, 0, 0];
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
      sinceThen += value.byteLength;
      if (sinceThen >= bytes) [waitedMs, sinceThen] = [0, 0];
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
  return new DomainError("INVALID_INPUT", `Cannot go on: ${reason}`);
}

/** Bytes that a client has to take within `stallMs` to go on. */
const PIECE = 16 * 1_024;

export interface DownloadOptions {
  /** How long the client may take over a piece of 16 KiB, in milliseconds. */
  stallMs?: number;
  /** Called once, when the answer has ended in whatever way. */
  onEnd?: () => void;
}

/** The answer in pieces, for as long as the client takes them; then it fails, which closes the connection. */
export function pacedDownload(
  answer: ReadableStream<Uint8Array<ArrayBuffer>>,
  { stallMs = PACE.stallMs, onEnd = () => {} }: DownloadOptions = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = answer.getReader();
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
      const stalled = refusal(`the client has taken nothing for ${stallMs / 1_000} seconds`);
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
