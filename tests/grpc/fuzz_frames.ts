/** Sequences of frames that are nearly right: from a corpus, mutated by a seed. */
import {
  concat,
  END_HEADERS,
  END_STREAM,
  frame,
  frameReader,
  HEADERS,
  PING,
  PREFACE,
} from "../attack/frames.ts";

const CORPUS = new URL("corpus/frames/", import.meta.url);

/** Frames that a client sends after the preface, one by one; a frame may be cut short or have a wrong length. */
export type Sequence = Uint8Array[];

/** Each file of the corpus: one frame a line in hexadecimal, `#` begins a comment. */
export async function readCorpus(): Promise<Map<string, Sequence>> {
  const corpus = new Map<string, Sequence>();
  for await (const { name } of Deno.readDir(CORPUS)) {
    const lines = (await Deno.readTextFile(new URL(name, CORPUS))).split("\n");
    const frames = lines.map((line) => line.replace(/#.*/, "").trim()).filter((line) => line);
    corpus.set(name, frames.map((hex) => Uint8Array.fromHex(hex)));
  }
  return new Map([...corpus].sort(([a], [b]) => a < b ? -1 : 1));
}

/** As a file of the corpus. */
export function writeSequence(sequence: Sequence): string {
  return sequence.map((bytes) => bytes.toHex()).join("\n");
}

/** The same for the same seed and corpus. */
export function mutated(corpus: readonly Sequence[], seed: number): Sequence {
  const random = createRandom(seed);
  const below = (count: number) => Math.floor(random() * count);
  const pick = <T>(values: readonly T[]): T => values[below(values.length)]!;
  let sequence = [...pick(corpus)];
  if (random() < 0.3) sequence = [...sequence, ...pick(corpus)];
  for (let left = 1 + below(6); left > 0; left--) mutate(sequence, { random, below, pick });
  return sequence;
}

interface Chance {
  random(): number;
  below(count: number): number;
  pick<T>(values: readonly T[]): T;
}

function mutate(sequence: Sequence, { random, below, pick }: Chance): void {
  const at = below(sequence.length);
  const bytes = Uint8Array.from(sequence[at] ?? frame(HEADERS, END_HEADERS | END_STREAM, 1));
  const actions: (() => void)[] = [
    () => sequence.splice(at, 1),
    () => sequence.splice(at, 0, bytes),
    () => sequence.splice(below(sequence.length + 1), 0, bytes),
    () => sequence.splice(at, 1, ...Array.from({ length: 1 + below(60) }, () => bytes)),
    () => sequence.splice(at, 1, bytes.subarray(0, below(bytes.length))),
    () => sequence.splice(at, 0, randomFrame({ random, below, pick })),
    () => {
      if (bytes.length > 0) bytes[below(bytes.length)]! ^= 1 << below(8);
      sequence[at] = bytes;
    },
    () => {
      if (bytes.length > 4) bytes[pick([3, 4, 8])] = below(16); // type, flags or stream
      sequence[at] = bytes;
    },
    () => {
      if (bytes.length > 9) {
        for (let left = 8; left > 0; left--) bytes[9 + below(bytes.length - 9)] = below(256);
      }
      sequence[at] = bytes;
    },
    () => {
      if (bytes.length > 2) bytes[pick([1, 2])] = below(256); // the length
      sequence[at] = bytes;
    },
  ];
  pick(actions)();
}

function randomFrame({ below, pick }: Chance): Uint8Array {
  const stream = pick([0, 1, 1, 2, 3, 5, 2 ** 31 - 1]);
  const payload = Uint8Array.from({ length: pick([0, 1, 4, 5, 6, 8, 9, below(200)]) }, () => below(256));
  return frame(below(12), below(256), stream, payload);
}

/** mulberry32 */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** Maximum silence of a server about a sequence before its client leaves; it may wait for more. */
const SILENCE_MS = 100;

/** Sends a sequence on a connection of its own, waits for the answer to a PING or for the end, and goes. */
export async function send(port: number, sequence: Sequence): Promise<void> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
  if (!socket) return; // an earlier sequence may have ended the server
  const over = Promise.withResolvers<void>();
  const read = async () => {
    const frames = frameReader();
    const buffer = new Uint8Array(16_384);
    for (let length = await socket.read(buffer); length !== null; length = await socket.read(buffer)) {
      if (frames(buffer.subarray(0, length)).some(({ type, flags }) => type === PING && flags & 1)) return;
    }
  };
  const silence = setTimeout(over.resolve, SILENCE_MS);
  const reading = read().catch(() => {}).finally(over.resolve);
  const bytes = concat([PREFACE, ...sequence, frame(PING, 0, 0, new Uint8Array(8))]);
  try {
    for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
    await over.promise;
  } catch { /* the server has closed */ }
  clearTimeout(silence);
  try {
    socket.close();
  } catch { /* closed */ }
  await reading;
}
