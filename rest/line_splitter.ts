/** Line splitter for streamed bodies: linear time, quoted CSV cells, and a stall timeout. */
import { DomainError } from "../domain/errors.ts";
import { withTimeout } from "../lib/timeout.ts";

/** Maximum length of a line in bytes. */
export const LINE_LIMIT = 64 * 1024;

export interface LineOptions {
  /**
   * A cell that begins with a double quote continues after line feeds, as in CSV, until it is closed. Lines may then also
   * end with a carriage return.
   */
  quotes: boolean;
  /** Returns the delimiter of the cells from the first line with text. By default it is a comma. */
  findDelimiter?: (line: string) => string;
  /** Time in milliseconds after which a client that sends nothing times out. */
  stallMs: number;
  /** Stops reading. */
  signal: AbortSignal;
}

/** A line without its line feed; undefined if it is too long. */
export type Line = Uint8Array | undefined;

const [NEWLINE, RETURN, QUOTE, COMMA] = [0x0a, 0x0d, 0x22, 0x2c];

/**
 * Yields the lines that each chunk completes. A line that is too long is replaced by undefined, and the next line
 * begins after the next line feed. If a quoted cell is never closed, or not within LINE_LIMIT, only the line in which it
 * begins is affected: that line is yielded by itself.
 *
 * @throws {DomainError} INVALID_INPUT when the client stalls or closes the connection
 */
export async function* readLines(
  body: ReadableStream<Uint8Array>,
  { quotes, findDelimiter = () => ",", stallMs, signal }: LineOptions,
): AsyncGenerator<Line[]> {
  const chunks = readChunks(body, stallMs, signal);
  if (!quotes) return yield* splitChunks(chunks, createSplitter(false));
  const normalized = normalizeLineEnds(chunks);
  const head = await readHead(normalized);
  const lines = new TextDecoder().decode(head.subarray(0, LINE_LIMIT)).split("\n");
  const delimiter = findDelimiter(lines.find((line) => TEXT.test(line)) ?? "");
  const splitter = createSplitter(true, LINE_LIMIT, delimiter.charCodeAt(0));
  yield splitter.push(head);
  yield* splitChunks(normalized, splitter);
}

/** Matches a line that is not blank: it has more than spaces, quotes and delimiters. */
const TEXT = /[^\s,;"]/;

/** Reads chunks up to the one in which the first line with text ends, or until there is more than a line may have. */
async function readHead(chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const head = createBuffer();
  let hasText = false;
  while (head.size() <= LINE_LIMIT) {
    const { done, value } = await chunks.next();
    if (done) break;
    head.append(value);
    for (const byte of value) {
      if (byte === NEWLINE && hasText) return head.takeAll();
      hasText ||= TEXT.test(String.fromCharCode(byte));
    }
  }
  return head.takeAll();
}

/** Replaces carriage returns, and those before a line feed, by one line feed. */
async function* normalizeLineEnds(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let afterReturn = false;
  for await (const chunk of chunks) {
    const normalized = new Uint8Array(chunk.length);
    let length = 0;
    for (const byte of chunk) {
      if (byte !== NEWLINE || !afterReturn) normalized[length++] = byte === RETURN ? NEWLINE : byte;
      afterReturn = byte === RETURN;
    }
    yield normalized.subarray(0, length);
  }
}

async function* splitChunks(
  chunks: AsyncIterable<Uint8Array>,
  { push, end }: ReturnType<typeof createSplitter>,
): AsyncGenerator<Line[]> {
  for await (const chunk of chunks) yield push(chunk);
  yield end();
}

/** Bytes between two line feeds, and whether they open or close a quoted cell. */
interface PhysicalLine {
  bytes: Line;
  /** Offsets in the body; `end` is the offset of the line feed. */
  start: number;
  end: number;
  /** A quoted cell that begins in this line is still open at its end. */
  opens: boolean;
  /** A quoted cell that is open at the start of this line is closed at its end. */
  closes: boolean;
}

/**
 * Accepts chunks and returns the lines that they complete. Each byte is read once: a physical line starts either inside
 * or outside of a quoted cell, so `opens` and `closes` are computed for both cases at once. If a cell is not closed, no
 * line has to be read again.
 *
 * @param limit maximum length of a line in bytes
 * @param delimiter the byte that separates cells
 */
export function createSplitter(quotes: boolean, limit = LINE_LIMIT, delimiter = COMMA) {
  const unfinished = createBuffer();
  let skipping = false; // the rest of a line that is too long
  let offset = 0; // of the next byte in the body
  let pending: PhysicalLine[] = [];
  let first = 0; // index in `pending` of the line that is returned next
  let closing = 0; // index in `pending`; no line from `first + 1` up to it closes a cell

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
    addLine(undefined, unfinished.takeAll().length);
    skipping = true;
  }

  function finish(): void {
    if (skipping) skipping = false;
    else {
      const bytes = unfinished.takeAll();
      addLine(bytes, bytes.length);
    }
  }

  function addLine(bytes: Line, length: number): void {
    const quoted = quotes && bytes !== undefined && bytes.includes(QUOTE);
    const opens = quoted && isOpenAfter(bytes, false, delimiter);
    const closes = quoted && !isOpenAfter(bytes, true, delimiter);
    pending.push({ bytes, start: offset - length, end: offset, opens, closes });
  }

  function take(ended: boolean): Line[] {
    const lines: Line[] = [];
    for (let size = sizeOfNext(ended); size > 0; size = sizeOfNext(ended)) {
      lines.push(size === 1 ? pending[first]!.bytes : join(pending.slice(first, first + size)));
      first += size;
    }
    if (first > pending.length / 2) {
      pending = pending.slice(first);
      closing = Math.max(0, closing - first);
      first = 0;
    }
    return lines;
  }

  /** Returns the number of physical lines in the next line; 0: more of the body is required to decide. */
  function sizeOfNext(ended: boolean): number {
    const line = pending[first];
    if (!line?.opens) return line ? 1 : 0;
    const fits = (end: number) => end - line.start <= limit;
    closing = Math.max(closing, first + 1);
    while (closing < pending.length && !pending[closing]!.closes && fits(pending[closing]!.end)) closing++;
    const last = pending[closing];
    if (last) return fits(last.end) ? closing - first + 1 : 1;
    return ended || !fits(offset) ? 1 : 0;
  }

  return { push, end };
}

/**
 * Returns true if a quoted cell is open at the end of the line. A quote opens a cell at its beginning, or directly after
 * a closing quote: the two are an escaped quote.
 *
 * @param open true if a quoted cell is open at the start of the line
 */
function isOpenAfter(line: Uint8Array, open: boolean, delimiter: number): boolean {
  let toggledAt = -1;
  for (let at = line.indexOf(QUOTE); at >= 0; at = line.indexOf(QUOTE, at + 1)) {
    if (open || at === 0 || line[at - 1] === delimiter || toggledAt === at - 1) {
      [open, toggledAt] = [!open, at];
    }
  }
  return open;
}

function join(lines: readonly PhysicalLine[]): Uint8Array {
  const { start } = lines[0]!;
  const joined = new Uint8Array(lines.at(-1)!.end - start).fill(NEWLINE);
  for (const line of lines) joined.set(line.bytes!, line.start - start);
  return joined;
}

/** Growable byte buffer whose appends take amortized linear time. */
function createBuffer() {
  let memory = new Uint8Array(0);
  let used = 0;
  return {
    size: () => used,
    append(bytes: Uint8Array) {
      if (used + bytes.length > memory.length) {
        const larger = new Uint8Array(Math.max(2 * memory.length, used + bytes.length));
        larger.set(memory.subarray(0, used));
        memory = larger;
      }
      memory.set(bytes, used);
      used += bytes.length;
    },
    takeAll() {
      const all = memory.slice(0, used);
      used = 0;
      return all;
    },
  };
}

async function* readChunks(
  body: ReadableStream<Uint8Array>,
  stallMs: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => {}); // the client may have closed the connection
  signal.addEventListener("abort", cancel);
  try {
    for (;;) {
      const { done, value } = await withStallTimeout(reader.read().catch(throwIncomplete), stallMs);
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** An incomplete body is an error of the client, not of the service. */
function throwIncomplete(cause: unknown): never {
  if (cause instanceof DomainError) throw cause;
  throw new DomainError("INVALID_INPUT", "Cannot continue: the body is incomplete", { cause });
}

/** @throws {DomainError} INVALID_INPUT when the client does not send or read in time */
export function withStallTimeout<T>(work: Promise<T>, stallMs: number): Promise<T> {
  const reason = `the client has sent or read nothing for ${stallMs / 1_000} seconds`;
  return withTimeout(work, stallMs, () => {
    throw new DomainError("INVALID_INPUT", `Cannot continue: ${reason}`);
  });
}
