/** Takes a body that is streamed apart into lines, and waits for none of them without end. */
import { DomainError } from "../actors/errors.ts";

/** Bytes of the longest line that is taken. */
export const LINE_LIMIT = 64 * 1024;

export interface LineOptions {
  /** A line that is open inside of a pair of double quotes goes on, as in CSV. */
  quotes: boolean;
  /** How long the client may send nothing, in milliseconds. */
  patienceMs: number;
  /** Ends the reading. */
  signal: AbortSignal;
}

const [NEWLINE, QUOTE] = [0x0a, 0x22];

/**
 * The lines without their ends, those of a moment together, and undefined in the place of one that is too long;
 * whatever that was, the next line begins behind the next line feed.
 *
 * @throws {DomainError} INVALID_INPUT when the client sends nothing
 */
export async function* readLines(
  body: ReadableStream<Uint8Array>,
  { quotes, patienceMs, signal }: LineOptions,
): AsyncGenerator<(Uint8Array | undefined)[]> {
  let begun = new Uint8Array(0);
  let [quoted, skipping] = [false, false];
  for await (const chunk of readChunks(body, patienceMs, signal)) {
    const lines: (Uint8Array | undefined)[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (skipping) {
        if (byte !== NEWLINE) continue;
        [skipping, from] = [false, at + 1];
      } else if (byte === NEWLINE && !quoted) {
        lines.push(joined(begun, chunk.subarray(from, at)));
        [begun, from] = [new Uint8Array(0), at + 1];
      } else if (begun.length + at - from >= LINE_LIMIT) {
        lines.push(undefined);
        [begun, quoted, skipping] = [new Uint8Array(0), false, byte !== NEWLINE];
        from = at + 1;
      } else if (quotes && byte === QUOTE) quoted = !quoted;
    }
    if (!skipping) begun = joined(begun, chunk.subarray(from));
    yield lines;
  }
  if (begun.length > 0) yield [begun];
}

async function* readChunks(
  body: ReadableStream<Uint8Array>,
  patienceMs: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => {}); // the client may be gone already
  signal.addEventListener("abort", cancel);
  try {
    for (;;) {
      const { done, value } = await patiently(reader.read(), patienceMs);
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** @throws {DomainError} INVALID_INPUT when it takes too long */
export async function patiently<T>(work: Promise<T>, patienceMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const limit = setTimeout(() => {
    const reason = `the client has been silent for ${patienceMs / 1_000} seconds`;
    late.reject(new DomainError("INVALID_INPUT", `Cannot go on: ${reason}`));
  }, patienceMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(limit);
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}
