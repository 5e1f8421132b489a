/** Takes a body that is streamed apart into lines, and waits for none of them without end. */
import { DomainError } from "../actors/errors.ts";
import { patiently } from "../door/body.ts";

/** Bytes of the longest line that is taken. */
export const LINE_LIMIT = 64 * 1024;

export interface LineOptions {
  /** A cell that begins with a double quote goes on behind line feeds, as in CSV, until it is closed. */
  quotes: boolean;
  /** How long the client may send nothing, in milliseconds. */
  patienceMs: number;
  /** Ends the reading. */
  signal: AbortSignal;
}

const [NEWLINE, QUOTE, COMMA] = [0x0a, 0x22, 0x2c];

/**
 * The lines without their ends, those of a moment together, and undefined in the place of one that is too long;
 * whatever that was, the next line begins behind the next line feed. So it does behind a cell that is never closed:
 * the line in which it begins is given by itself.
 *
 * @throws {DomainError} INVALID_INPUT when the client sends nothing, or breaks off
 */
export async function* readLines(
  body: ReadableStream<Uint8Array>,
  { quotes, patienceMs, signal }: LineOptions,
): AsyncGenerator<(Uint8Array | undefined)[]> {
  let lines: (Uint8Array | undefined)[] = [];
  let text = new Uint8Array(0); // what is not a line yet
  let at = 0; // of which so much has been looked at
  let skipping = false; // the rest of a line that was too long
  let [quoted, atCell] = [false, true];

  function cut(end: number): void {
    lines.push(text.subarray(0, end));
    beginAt(end + 1);
  }

  function beginAt(start: number): void {
    [text, at, quoted, atCell] = [text.subarray(start), 0, false, true];
  }

  /** The end of the line in which an open cell begins; -1 where none is open over several lines. */
  const endOfOpenLine = () => quoted ? text.subarray(0, at).indexOf(NEWLINE) : -1;

  function look(): void {
    while (at < text.length) {
      const byte = text[at];
      if (skipping) {
        const end = text.indexOf(NEWLINE);
        skipping = end < 0;
        beginAt(skipping ? text.length : end + 1);
      } else if (byte === NEWLINE && !quoted) cut(at);
      else if (at >= LINE_LIMIT) {
        const end = endOfOpenLine();
        if (end >= 0) cut(end);
        else {
          lines.push(undefined);
          skipping = true;
        }
      } else {
        // A quote opens at the beginning of a cell, and again behind one that has closed: it was escaped.
        const turns = quotes && byte === QUOTE && (quoted || atCell);
        if (turns) quoted = !quoted;
        atCell = byte === COMMA || turns;
        at++;
      }
    }
  }

  for await (const chunk of readChunks(body, patienceMs, signal)) {
    text = joined(text, chunk);
    look();
    yield lines;
    lines = [];
  }
  for (let end = endOfOpenLine(); end >= 0; end = endOfOpenLine()) {
    cut(end);
    look();
  }
  if (text.length > 0 && !skipping) cut(text.length);
  yield lines;
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
      const { done, value } = await unlessSilent(reader.read().catch(breakOff), patienceMs);
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** A body that breaks off is its client's affair. */
function breakOff(cause: unknown): never {
  if (cause instanceof DomainError) throw cause;
  throw new DomainError("INVALID_INPUT", "Cannot go on: the body breaks off", { cause });
}

/** @throws {DomainError} INVALID_INPUT when it takes too long */
export function unlessSilent<T>(work: Promise<T>, patienceMs: number): Promise<T> {
  const reason = `the client has been silent for ${patienceMs / 1_000} seconds`;
  return patiently(work, patienceMs, () => new DomainError("INVALID_INPUT", `Cannot go on: ${reason}`));
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}
