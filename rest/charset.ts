/** Character encodings of files: converts a stream of text to UTF-8. */
import { HTTPException } from "@hono/hono/http-exception";
import { DomainError } from "../domain/errors.ts";

type Body = ReadableStream<Uint8Array<ArrayBuffer>>;

/**
 * Reads the charset parameter of a content type.
 *
 * @returns a label that TextDecoder knows; undefined if the parameter is absent
 * @throws {HTTPException} 415
 */
export function readCharset(contentType: string): string | undefined {
  const [, quoted, plain] = contentType.match(/;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]*))/i) ?? [];
  const charset = quoted ?? plain;
  if (charset === undefined) return undefined;
  try {
    return new TextDecoder(charset).encoding;
  } catch {
    const message =
      "its charset must be one of the WHATWG Encoding Standard, such as utf-8, utf-16le or windows-1252";
    throw new HTTPException(415, { message });
  }
}

/**
 * Converts a body to UTF-8. A UTF-16 byte order mark takes precedence over an absent charset and over that of UTF-16.
 * Bytes that are not UTF-8 pass through, so that only their line is refused.
 *
 * @throws {DomainError} INVALID_INPUT, to the reader: the body is not in its charset
 */
export function toUtf8(body: Body, charset: string | undefined): Body {
  const reader = body.getReader();
  let decoded: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  return new ReadableStream({
    async pull(controller) {
      decoded ??= await start();
      const { done, value } = await decoded.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => (decoded ?? reader).cancel(reason),
  }, { highWaterMark: 0 });

  async function start() {
    const head = await readHead(reader);
    const encoding = byteOrder(head, charset);
    const whole = startingWith(head, reader);
    if (encoding === undefined || encoding === "utf-8") return whole.getReader();
    return convert(whole, encoding).getReader();
  }
}

function byteOrder([first, second]: Uint8Array, charset: string | undefined): string | undefined {
  if (charset !== undefined && !charset.startsWith("utf-16")) return charset;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return charset;
}

function convert(body: Body, encoding: string): Body {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const encoder = new TextEncoder();
  const decode = (bytes?: Uint8Array<ArrayBuffer>) => {
    try {
      return encoder.encode(bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode());
    } catch (cause) {
      throw new DomainError("INVALID_INPUT", `Cannot continue: the body is not ${encoding}`, { cause });
    }
  };
  return body.pipeThrough(
    new TransformStream({
      transform: (chunk, controller) => controller.enqueue(decode(chunk)),
      flush: (controller) => controller.enqueue(decode()),
    }),
  );
}

/** Reads the first two bytes, and the rest of their chunks. */
async function readHead(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>> {
  let head = new Uint8Array(0);
  while (head.byteLength < 2) {
    const { done, value } = await reader.read();
    if (done) break;
    head = head.byteLength === 0 ? value : concat(head, value);
  }
  return head;
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.byteLength + second.byteLength);
  both.set(first);
  both.set(second, first.byteLength);
  return both;
}

function startingWith(
  head: Uint8Array<ArrayBuffer>,
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): Body {
  let first: Uint8Array<ArrayBuffer> | undefined = head;
  return new ReadableStream({
    async pull(controller) {
      if (first !== undefined && first.byteLength > 0) {
        controller.enqueue(first);
        first = undefined;
        return;
      }
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
