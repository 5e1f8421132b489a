/** Reads a whole request body, with limits on its bytes, inflated bytes, chunks and time. */
import type { BodyBudget } from "./body_budget.ts";
import { BodyError } from "./body_error.ts";
import { inflateBytes, readCoding } from "./content_encoding.ts";

/** Time limit of a body: `graceMs` plus its bytes at `bytesPerSecond`, and never more than `wholeMs`. */
export interface BodyClock {
  /** In milliseconds. */
  graceMs: number;
  bytesPerSecond: number;
  /** In milliseconds. */
  wholeMs: number;
}

export const BODY_CLOCK: BodyClock = { graceMs: 5_000, bytesPerSecond: 10 * 1024, wholeMs: 10_000 };

/** The first 100 chunks may have any size. After them the average must be at least 16 bytes. */
const FREE_CHUNKS = 100;
const BYTES_PER_CHUNK = 16;

/** Buffer sizes in bytes. The first is small because idle clients hold it; full buffers double up to the largest. */
const [FIRST_READ, MAX_READ] = [1_024, 16 * 1_024];

export interface ReadOptions {
  /** Limit on the body as it is sent, and as it is inflated. */
  maxBytes: number;
  clock: BodyClock;
  budget: BodyBudget;
  /** The principal or the address that the body counts for. */
  holder(): string;
}

/**
 * Reads and inflates the whole body. Afterwards the request's own methods return it from memory, because constructing a second
 * request would cost several times as much as reading.
 *
 * @returns the number of bytes, inflated
 * @throws {BodyError} `incomplete` when the client disconnects
 */
export async function readBody(request: Request, options: ReadOptions): Promise<number> {
  const { body } = request;
  if (body === null) return 0;
  const header = request.headers.get("content-length");
  const declared = header === null ? undefined : Number(header);
  if (declared !== undefined && declared > options.maxBytes) throw tooLarge(options.maxBytes);
  const coding = readCoding(request.headers);
  const chunks = await readChunks(sourceOf(body), declared, options);
  const bytes = coding === undefined ? chunks : await inflateBytes(chunks, coding, options.maxBytes);
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

/** Common form of byte streams, which accept a buffer, and of streams whose chunks are already in memory. */
interface Source {
  isInMemory: boolean;
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  cancel(): void;
}

/**
 * Deno allocates 64 KiB for each pending read of a body unless the reader supplies a buffer. A body that arrived
 * together with its headers is a default stream, which accepts no buffer.
 */
function sourceOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): Source {
  const reader = getByteReader(body);
  if (!reader) {
    const arrived = body.getReader();
    return {
      isInMemory: true,
      read: async () => (await arrived.read()).value,
      cancel: () => cancel(arrived),
    };
  }
  let buffer = new ArrayBuffer(FIRST_READ);
  return {
    isInMemory: false,
    async read() {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done || value === undefined) return undefined;
      const isFull = value.byteLength === value.buffer.byteLength && value.byteLength < MAX_READ;
      buffer = isFull ? new ArrayBuffer(value.byteLength * 2) : value.buffer;
      return isFull ? value : value.slice();
    },
    cancel: () => cancel(reader),
  };
}

/**
 * Returns a reader that accepts a buffer, or undefined for a default stream. A default stream throws at the request for
 * one, which takes longer than the rest of reading a small body, and no public property names the kind of a stream. So
 * this reads the internal field of the controller first.
 */
function getByteReader(body: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStreamBYOBReader | undefined {
  if (controllerOf(body) instanceof ReadableStreamDefaultController) return undefined;
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

let controllerField: symbol | undefined;

/** The controller of a stream; undefined if this version of Deno keeps it elsewhere. */
function controllerOf(body: ReadableStream): unknown {
  controllerField ??= Object.getOwnPropertySymbols(body).find(({ description }) =>
    description === "[[controller]]"
  );
  return controllerField && (body as unknown as Record<symbol, unknown>)[controllerField];
}

function cancel(reader: { cancel(): Promise<void> }): void {
  reader.cancel().catch(() => {}); // the client may have disconnected
}

async function readChunks(
  source: Source,
  declared: number | undefined,
  { maxBytes, clock, budget, holder }: ReadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let [length, failure] = [0, undefined as BodyError | undefined];
  const stop = (error: BodyError) => {
    failure ??= error;
    source.cancel();
  };
  const limitMs = () =>
    Math.min(clock.wholeMs, clock.graceMs + (declared ?? length) / clock.bytesPerSecond * 1_000);
  const stopClock = source.isInMemory ? undefined : startClock(limitMs, () => stop(tooSlow(limitMs())));
  const reservation = source.isInMemory ? undefined : budget.reserve(holder(), () => stop(evicted()));
  try {
    for (;;) {
      const chunk = await source.read().catch((cause) => {
        throw new BodyError("incomplete", "is incomplete", { cause });
      });
      if (failure) throw failure;
      if (chunk === undefined) return joined(chunks, length);
      chunks.push(chunk);
      length += chunk.byteLength;
      if (length > maxBytes) throw tooLarge(maxBytes);
      if (chunks.length > FREE_CHUNKS + length / BYTES_PER_CHUNK) throw fragmented();
      reservation?.grow(chunk.byteLength);
    }
  } catch (error) {
    source.cancel();
    throw failure ?? error;
  } finally {
    stopClock?.();
    reservation?.release();
  }
}

/** @param limitMs time limit since the start, read again at each expiry because it grows with the received bytes */
function startClock(limitMs: () => number, onLate: () => void): () => void {
  const started = performance.now();
  let timer: ReturnType<typeof setTimeout>;
  const check = () => {
    const remainingMs = started + limitMs() - performance.now();
    if (remainingMs <= 0) onLate();
    else timer = setTimeout(check, Math.ceil(remainingMs));
  };
  check();
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
  new BodyError("evicted", "has not arrived, and too many other bodies are pending: try again");
