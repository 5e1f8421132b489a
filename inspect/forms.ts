/** Reads forms before anything else is done: no more of one than ours have, for no longer than a browser takes. */
import type { Context, MiddlewareHandler } from "@hono/hono";
import { HTTPException } from "@hono/hono/http-exception";

const KIB = 1_024;
/** By where a form is sent, in bytes: a token that a cookie holds, and 500 requests with what each is stuck with. */
const MOST: Readonly<Record<string, number>> = { "/inspect/sign-in": 8 * KIB, "/inspect/retry": 1_024 * KIB };
/** A decision with its reason, however it is encoded. */
const MOST_ELSEWHERE = 100 * KIB;
const PATIENCE_MS = 10_000;

/** Whoever sends more is answered 413, and who sends nothing for too long 408. */
export function takeForms(patienceMs = PATIENCE_MS): MiddlewareHandler {
  return async (c, next) => {
    const { body } = c.req.raw;
    if (body) c.req.raw = new Request(c.req.raw, { body: await read(c, body, patienceMs) });
    await next();
  };
}

/** What somebody has written into a field, as one line; empty where there is no such field. */
export function lineOf(field: unknown): string {
  return String(field ?? "").replaceAll(/\s+/g, " ").trim();
}

async function read(c: Context, body: ReadableStream<Uint8Array>, patienceMs: number): Promise<Blob> {
  const most = MOST[c.req.path] ?? MOST_ELSEWHERE;
  const tooMuch = () =>
    new HTTPException(413, {
      message: `Cannot take the form: it has more than ${most / KIB} KiB. Nothing has been done.`,
    });
  if (Number(c.req.header("content-length")) > most) throw tooMuch();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const kept = new WritableStream<Uint8Array<ArrayBuffer>>({
    write(chunk) {
      size += chunk.byteLength;
      if (size > most) throw tooMuch();
      chunks.push(chunk);
    },
  });
  const patience = new AbortController();
  const limit = setTimeout(() =>
    patience.abort(
      new HTTPException(408, {
        message: `Cannot take the form: it has not arrived within ${
          patienceMs / 1_000
        } seconds. Nothing has been done.`,
      }),
    ), patienceMs);
  try {
    await body.pipeTo(kept, { signal: patience.signal });
  } finally {
    clearTimeout(limit);
  }
  return new Blob(chunks);
}
