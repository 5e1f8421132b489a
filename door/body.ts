/** Request bodies that are read whole, bounded in bytes, in chunks and in time. */
import { DomainError } from "../domain/errors.ts";
import type { Arrivals } from "./arrivals.ts";

/** How fast a body must arrive: by `graceMs` plus its bytes at `bytesPerSecond`, and within `wholeMs` in any case. */
export interface BodyClock {
  /** In milliseconds. */
  graceMs: number;
  bytesPerSecond: number;
  /** In milliseconds. */
  wholeMs: number;
}

export const BODY_CLOCK: BodyClock = { graceMs: 5_000, bytesPerSecond: 10 * 1024, wholeMs: 10_000 };

/** So many chunks may have any size; from then on they hold at least so many bytes on average. */
const FREE_CHUNKS = 100;
const BYTES_PER_CHUNK = 16;

/** Bytes of the first read. The buffer waits with the client, so it is small; later ones double up to the last size. */
const [FIRST_READ, LARGEST_READ] = [1_024, 16 * 1_024];

export type BodyFault = "too_large" | "too_slow" | "fragmented" | "incomplete" | "evicted" | "not_utf8";

/** A body that is not taken. `reason` completes "its body …". */
export class BodyError extends DomainError {
  constructor(readonly fault: BodyFault, readonly reason: string, options?: ErrorOptions) {
    const code = fault === "evicted" ? "UNAVAILABLE" : "INVALID_INPUT";
    super(code, `Cannot take the request: its body ${reason}`, options);
  }
}

export interface ReadOptions {
  maxBytes: number;
  clock: BodyClock;
  /** Counts the body while it is waited for. */
  arrivals: Arrivals;
  /** On whose account: names a principal or an address. */
  holder(): string;
}

/**
 * Reads the whole body. From then on the request's own methods return it from memory, because a second request
 * would cost several times the reading.
 *
 * @returns the number of bytes
 * @throws {BodyError} `incomplete` when the client goes away
 */
export async function readBody(request: Request, options: ReadOptions): Promise<number> {
  const { body } = request;
  if (body === null) return 0;
  const header = request.headers.get("content-length");
  const declared = header === null ? undefined : Number(header);
  if (declared !== undefined && declared > options.maxBytes) throw tooLarge(options.maxBytes);
  const bytes = await readChunks(sourceOf(body), declared, options);
  const text = decoded(bytes);
  const type = request.headers.get("content-type") ?? "";
  Object.assign(request, {
    arrayBuffer: () => Promise.resolve(bytes.slice().buffer),
    text: () => Promise.resolve(text),
    json: () => Promise.resolve(text).then(JSON.parse),
    formData: () => new Response(bytes, { headers: { "content-type": type } }).formData(),
  });
  return bytes.byteLength;
}

/** A stream that can be read with a buffer of ours, or one whose chunks are in memory already. */
interface Source {
  /** The chunks need not be waited for. */
  isHere: boolean;
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  cancel(): void;
}

/**
 * Deno allocates 64 KiB for each pending read of a body, unless the reader brings a buffer. It gives a stream that
 * takes none for bodies that have arrived with their headers.
 */
function sourceOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): Source {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = body.getReader({ mode: "byob" });
  } catch {
    const arrived = body.getReader();
    return { isHere: true, read: async () => (await arrived.read()).value, cancel: () => cancel(arrived) };
  }
  let buffer = new ArrayBuffer(FIRST_READ);
  return {
    isHere: false,
    async read() {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done || value === undefined) return undefined;
      const isFull = value.byteLength === value.buffer.byteLength && value.byteLength < LARGEST_READ;
      buffer = isFull ? new ArrayBuffer(value.byteLength * 2) : value.buffer;
      return isFull ? value : value.slice();
    },
    cancel: () => cancel(reader),
  };
}

function cancel(reader: { cancel(): Promise<void> }): void {
  reader.cancel().catch(() => {}); // the client may have gone
}

async function readChunks(
  source: Source,
  declared: number | undefined,
  { maxBytes, clock, arrivals, holder }: ReadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let [length, failure] = [0, undefined as BodyError | undefined];
  const stop = (error: BodyError) => {
    failure ??= error;
    source.cancel();
  };
  const limitMs = () =>
    Math.min(clock.wholeMs, clock.graceMs + (declared ?? length) / clock.bytesPerSecond * 1_000);
  const stopClock = source.isHere ? undefined : startClock(limitMs, () => stop(tooSlow(limitMs())));
  const arrival = source.isHere ? undefined : arrivals.enter(holder(), () => stop(evicted()));
  try {
    for (;;) {
      const chunk = await source.read().catch((cause) => {
        throw new BodyError("incomplete", "breaks off", { cause });
      });
      if (failure) throw failure;
      if (chunk === undefined) return joined(chunks, length);
      chunks.push(chunk);
      length += chunk.byteLength;
      if (length > maxBytes) throw tooLarge(maxBytes);
      if (chunks.length > FREE_CHUNKS + length / BYTES_PER_CHUNK) throw fragmented();
      arrival?.grow(chunk.byteLength);
    }
  } catch (error) {
    source.cancel();
    throw failure ?? error;
  } finally {
    stopClock?.();
    arrival?.leave();
  }
}

/** @param limitMs since the start; it may grow while the clock runs */
function startClock(limitMs: () => number, onLate: () => void): () => void {
  const started = performance.now();
  let timer: ReturnType<typeof setTimeout>;
  const look = () => {
    const leftMs = started + limitMs() - performance.now();
    if (leftMs <= 0) onLate();
    else timer = setTimeout(look, Math.ceil(leftMs));
  };
  look();
  return () => clearTimeout(timer);
}

function joined(chunks: readonly Uint8Array<ArrayBuffer>[], length: number): Uint8Array<ArrayBuffer> {
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BodyError("not_utf8", "is not UTF-8", { cause });
  }
}

const tooLarge = (maxBytes: number) => new BodyError("too_large", `has more than ${maxBytes} bytes`);
const tooSlow = (limitMs: number) =>
  new BodyError("too_slow", `has not arrived within ${Number((limitMs / 1_000).toFixed(2))} seconds`);
const fragmented = () =>
  new BodyError("fragmented", `arrives in chunks of fewer than ${BYTES_PER_CHUNK} bytes on average`);
const evicted = () =>
  new BodyError("evicted", "has not arrived while too many others are waited for: try again");
