/** Splits a streamed body into lines in linear time, with a limit on how long the client may send nothing. */
import { DomainError } from "../domain/errors.ts";
import { withTimeout } from "../lib/timeout.ts";

/** Bytes of the longest line that is taken. */
export const LINE_LIMIT = 64 * 1024;

export interface LineOptions {
  /** A cell that begins with a double quote continues after line feeds, as in CSV, until it is closed. */
  quotes: boolean;
  /** How long the client may send nothing, in milliseconds. */
  patienceMs: number;
  /** Ends the reading. */
  signal: AbortSignal;
}

/** A line without its end; undefined where it is too long. */
export type Line = Uint8Array | undefined;

const [NEWLINE, QUOTE, COMMA] = [0x0a, 0x22, 0x2c];

/**
 * Yields the lines that each chunk completes. A line that is too long is replaced by undefined, and the next line
 * begins after the next line feed. A cell that is never closed, or not within LINE_LIMIT, costs the line in which it
 * begins and no other: that line is yielded by itself.
 *
 * @throws {DomainError} INVALID_INPUT when the client sends nothing, or breaks off
 */
export async function* readLines(
  body: ReadableStream<Uint8Array>,
  { quotes, patienceMs, signal }: LineOptions,
): AsyncGenerator<Line[]> {
  const splitter = createSplitter(quotes);
  for await (const chunk of readChunks(body, patienceMs, signal)) yield splitter.push(chunk);
  yield splitter.end();
}

/** Bytes between two line feeds, and what they do to a quoted cell. */
interface PhysicalLine {
  bytes: Line;
  /** Offsets in the whole body; the end is that of the line feed. */
  start: number;
  end: number;
  /** A cell that begins in it is still open at its end. */
  opens: boolean;
  /** A cell that was open at its start is closed at its end. */
  closes: boolean;
}

/**
 * Takes chunks and returns the lines that are complete. Each byte is read once: since a physical line can only be
 * entered inside of a quoted cell or outside of one, what it does in either case is noted at once, and no line is
 * read again when a cell turns out not to be closed.
 *
 * @param limit bytes of the longest line
 */
export function createSplitter(quotes: boolean, limit = LINE_LIMIT) {
  const unfinished = createBuffer();
  let skipping = false; // the rest of a line that is too long
  let offset = 0; // of the next byte to come
  let held: PhysicalLine[] = [];
  let first = 0; // of what is held, the line that is returned next
  let closing = 0; // no line between the first one and this one closes a cell

  function push(chunk: Uint8Array): Line[] {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, at));
      finish();
      offset++;
      from = at + 1;
    }
    add(chunk.subarray(from));
    return take(false);
  }

  function end(): Line[] {
    if (unfinished.size() > 0) finish();
    return take(true);
  }

  function add(bytes: Uint8Array): void {
    offset += bytes.length;
    if (skipping) return;
    unfinished.append(bytes);
    if (unfinished.size() <= limit) return;
    hold(undefined, unfinished.takeAll().length);
    skipping = true;
  }

  function finish(): void {
    if (skipping) skipping = false;
    else {
      const bytes = unfinished.takeAll();
      hold(bytes, bytes.length);
    }
  }

  function hold(bytes: Line, length: number): void {
    const quoted = quotes && bytes !== undefined && bytes.includes(QUOTE);
    const opens = quoted && isOpenAfter(bytes, false);
    const closes = quoted && !isOpenAfter(bytes, true);
    held.push({ bytes, start: offset - length, end: offset, opens, closes });
  }

  function take(ended: boolean): Line[] {
    const lines: Line[] = [];
    for (let size = sizeOfNext(ended); size > 0; size = sizeOfNext(ended)) {
      lines.push(size === 1 ? held[first]!.bytes : join(held.slice(first, first + size)));
      first += size;
    }
    if (first > held.length / 2) {
      held = held.slice(first);
      closing = Math.max(0, closing - first);
      first = 0;
    }
    return lines;
  }

  /** How many physical lines make the next one; 0: it takes more of the body to say. */
  function sizeOfNext(ended: boolean): number {
    const line = held[first];
    if (!line?.opens) return line ? 1 : 0;
    const fits = (end: number) => end - line.start <= limit;
    closing = Math.max(closing, first + 1);
    while (closing < held.length && !held[closing]!.closes && fits(held[closing]!.end)) closing++;
    const last = held[closing];
    if (last) return fits(last.end) ? closing - first + 1 : 1;
    return ended || !fits(offset) ? 1 : 0;
  }

  return { push, end };
}

/**
 * Whether a quoted cell is open at the end of the line. A quote opens at the beginning of a cell, and again directly
 * after one that has closed: that one was escaped.
 *
 * @param open whether one is open at its start
 */
function isOpenAfter(line: Uint8Array, open: boolean): boolean {
  let turned = -1;
  for (let at = line.indexOf(QUOTE); at >= 0; at = line.indexOf(QUOTE, at + 1)) {
    if (open || at === 0 || line[at - 1] === COMMA || turned === at - 1) [open, turned] = [!open, at];
  }
  return open;
}

function join(lines: readonly PhysicalLine[]): Uint8Array {
  const { start } = lines[0]!;
  const whole = new Uint8Array(lines.at(-1)!.end - start).fill(NEWLINE);
  for (const line of lines) whole.set(line.bytes!, line.start - start);
  return whole;
}

/** Bytes that grow at the end, in time linear in what is appended. */
function createBuffer() {
  let room = new Uint8Array(0);
  let used = 0;
  return {
    size: () => used,
    append(bytes: Uint8Array) {
      if (used + bytes.length > room.length) {
        const larger = new Uint8Array(Math.max(2 * room.length, used + bytes.length));
        larger.set(room.subarray(0, used));
        room = larger;
      }
      room.set(bytes, used);
      used += bytes.length;
    },
    takeAll() {
      const all = room.slice(0, used);
      used = 0;
      return all;
    },
  };
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
  return withTimeout(work, patienceMs, () => {
    throw new DomainError("INVALID_INPUT", `Cannot go on: ${reason}`);
  });
}
