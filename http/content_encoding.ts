/** Content codings of request bodies (RFC 9110, section 8.4): gzip and deflate are inflated, others are refused. */
import { BodyError } from "./body_error.ts";

/** Value of Accept-Encoding in the response to another coding. */
export const ACCEPTED_CODINGS = "gzip, deflate";

/** Format of DecompressionStream for each coding. In HTTP, "deflate" is the zlib format. */
const FORMATS: Readonly<Record<string, CompressionFormat>> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
};

/**
 * A DecompressionStream returns everything that a chunk inflates to at once, which is at most 1,032 times its size. So
 * it gets small chunks.
 */
const SLICE_BYTES = 256;

/** Maximum size of an inflated stream: a free allowance in bytes plus a multiple of the bytes received. */
const [FREE_BYTES, MAX_RATIO] = [1_024 * 1_024, 100];

/**
 * Reads the coding of a request's body.
 *
 * @returns undefined if the body is not encoded
 * @throws {BodyError} `unknown_coding`
 */
export function readCoding(headers: Headers): CompressionFormat | undefined {
  const codings = (headers.get("content-encoding") ?? "").toLowerCase().split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
  const [coding] = codings;
  if (coding === undefined) return undefined;
  const format = Object.hasOwn(FORMATS, coding) ? FORMATS[coding] : undefined;
  if (format !== undefined && codings.length === 1) return format;
  throw new BodyError(
    "unknown_coding",
    `must have one of these content encodings: ${ACCEPTED_CODINGS}, identity`,
  );
}

/**
 * Inflates a stream piece by piece, as fast as it is read.
 *
 * @throws {BodyError} to the reader. `too_large`: it inflates to more than 1 MiB plus 100 times its size; `malformed`: it
 * is not in the format, or ends early. Errors of `body` pass through.
 */
export function inflateStream(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  format: CompressionFormat,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let [received, inflated] = [0, 0];
  let failure: unknown;
  const count = (bytes: number) => received += bytes;
  const fail = (error: unknown) => failure = error;
  const reader = slicesOf(body, count, fail).pipeThrough(new DecompressionStream(format)).getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read().catch((cause) => {
        throw failure ?? new BodyError("malformed", `is not valid ${format}`, { cause });
      });
      if (done) return controller.close();
      inflated += value.byteLength;
      if (inflated > FREE_BYTES + MAX_RATIO * received) {
        const error = new BodyError("too_large", `inflates to more than ${MAX_RATIO} times its size`);
        reader.cancel(error).catch(() => {});
        throw error;
      }
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/**
 * Inflates a body that is in memory.
 *
 * @throws {BodyError} `too_large`: it inflates to more than `maxBytes`; `malformed`
 */
export async function inflateBytes(
  bytes: Uint8Array<ArrayBuffer>,
  format: CompressionFormat,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  for await (const chunk of inflateStream(body, format)) {
    chunks.push(chunk);
    length += chunk.byteLength;
    if (length > maxBytes) throw new BodyError("too_large", `inflates to more than ${maxBytes} bytes`);
  }
  return await new Blob(chunks).bytes();
}

/** Splits the chunks of a body into slices, one at a time when the reader wants it. */
function slicesOf(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onSlice: (bytes: number) => void,
  onError: (error: unknown) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let rest = new Uint8Array(0);
  return new ReadableStream({
    async pull(controller) {
      while (rest.byteLength === 0) {
        const { done, value } = await reader.read().catch((error) => {
          onError(error);
          throw error;
        });
        if (done) return controller.close();
        rest = value;
      }
      const slice = rest.slice(0, SLICE_BYTES);
      rest = rest.subarray(SLICE_BYTES);
      onSlice(slice.byteLength);
      controller.enqueue(slice);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
