/**
 * HPACK decoder on mutated blocks. A file of the corpus is a connection: blocks, each after its length in two
 * bytes. FUZZ_ROUNDS sets the number of connections, FUZZ_SEED the first seed; a failure prints its seed and
 * blocks. To keep a failure, write its blocks to a file of the corpus.
 */
import assert from "node:assert/strict";
import { ByteWriter } from "../../grpc/byte_writer.ts";
import { writeInteger } from "../../grpc/hpack/integers.ts";
import { type HeaderList, HpackDecoder, HpackEncoder, HpackError } from "../../grpc/hpack/mod.ts";

const ROUNDS = Number(Deno.env.get("FUZZ_ROUNDS") ?? 6000);
const FIRST_SEED = Number(Deno.env.get("FUZZ_SEED") ?? 7541);
const CORPUS = new URL("./corpus/hpack/", import.meta.url);
const LIMITS = { maxTableSize: 4096, maxListSize: 8192, maxWork: 500 };

type Connection = readonly Uint8Array[];

Deno.test("the corpus reaches every outcome of decoding", async () => {
  const outcomes = new Set<string>();
  for (const connection of await readCorpus()) check(connection, outcomes);
  assert.deepEqual([...outcomes].sort(), [
    "A Huffman string contains EOS",
    "A Huffman string ends inside a code or has over seven bits of padding",
    "A header block has more than N fields",
    "A table size update follows a field",
    "A table size update to N exceeds N",
    "An integer exceeds N",
    "An integer has more than N continuation bytes",
    "Index N exceeds the end of the table",
    "Index N is not used",
    "The header block ends inside a string",
    "The header block ends inside an integer",
    "The header block ends where an integer is expected",
    "The padding of a Huffman string is not all ones",
    "list",
    "list over its size",
  ]);
});

Deno.test("a decoder reads or refuses any mutation of the corpus, within its limits", async () => {
  const corpus = await readCorpus();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed++) {
    const connection = mutate(corpus, randomOf(seed));
    try {
      check(connection);
    } catch (error) {
      const blocks = connection.map((block) => block.toHex()).join(" ");
      throw new Error(`FUZZ_SEED=${seed} FUZZ_ROUNDS=1: ${blocks}`, { cause: error });
    }
  }
});

/** Decodes a connection and asserts what holds for any bytes. */
function check(connection: Connection, outcomes?: Set<string>): void {
  const decoder = new HpackDecoder(LIMITS);
  const tableOnly = new HpackDecoder({ ...LIMITS, maxListSize: 0 });
  for (const block of connection) {
    const outcome = attempt(decoder, block);
    const other = attempt(tableOnly, block);
    outcomes?.add(nameOf(outcome));
    if (outcome instanceof HpackError) {
      assert.equal(nameOf(other), nameOf(outcome), "a violation is one whether or not the list is stored");
      return;
    }
    assert.ok(!(other instanceof HpackError));
    assert.equal(tableOnly.fields, decoder.fields);
    assert.ok(decoder.fields <= Math.min(block.length, LIMITS.maxWork));
    if (outcome) checkList(outcome, decoder.fields);
  }
  const table = readTable(decoder);
  assert.ok(sizeOf(table) <= LIMITS.maxTableSize);
  assert.equal(countEntries(tableOnly), table.length / 2);
}

function checkList(list: HeaderList, fields: number): void {
  assert.equal(list.length, fields * 2);
  assert.ok(sizeOf(list) <= LIMITS.maxListSize);
  const out = new ByteWriter();
  new HpackEncoder().encode(list, out);
  const again = new HpackDecoder(LIMITS).decode(out.bytes, 0, out.length);
  assert.deepEqual(again, list);
}

/** Decodes the block in the middle of other bytes. */
function attempt(decoder: HpackDecoder, block: Uint8Array): HeaderList | undefined | HpackError {
  const bytes = new Uint8Array(block.length + 12).fill(0xff);
  bytes.set(block, 5);
  try {
    return decoder.decode(bytes, 5, 5 + block.length);
  } catch (error) {
    if (error instanceof HpackError) return error;
    throw error;
  }
}

function nameOf(outcome: HeaderList | undefined | HpackError): string {
  if (outcome instanceof HpackError) return outcome.message.replace(/\d+/g, "N");
  return outcome ? "list" : "list over its size";
}

function sizeOf(list: HeaderList): number {
  return list.join("").length + 32 * list.length / 2;
}

/** The entries of the dynamic table, which are those that an index reaches. */
function readTable(decoder: HpackDecoder): string[] {
  const table: string[] = [];
  for (let index = 62;; index++) {
    const field = attempt(decoder, indexed(index));
    if (field instanceof HpackError) return table;
    table.push(...field!);
  }
}

function countEntries(decoder: HpackDecoder): number {
  let index = 62;
  while (!(attempt(decoder, indexed(index)) instanceof HpackError)) index++;
  return index - 62;
}

function indexed(index: number): Uint8Array {
  const out = new ByteWriter();
  writeInteger(out, 0x80, 7, index);
  return out.view();
}

/** One to eight mutations of a connection, each in one of its blocks. */
function mutate(corpus: readonly Connection[], random: (below: number) => number): Connection {
  const pick = <T>(items: readonly T[]): T => items[random(items.length)]!;
  const connection = pick(corpus).slice();
  for (let mutations = 1 + random(8); mutations > 0; mutations--) {
    const at = random(connection.length);
    connection[at] = pick(MUTATIONS)(connection[at]!, random, pick(pick(corpus)));
  }
  return connection;
}

type Mutation = (block: Uint8Array, random: (below: number) => number, other: Uint8Array) => Uint8Array;

/** Bytes at the edges of a representation, a prefix, or a code. */
const EDGES = [0x00, 0x01, 0x0f, 0x1f, 0x20, 0x3f, 0x40, 0x7e, 0x7f, 0x80, 0xbe, 0xbf, 0xc0, 0xfe, 0xff];

const MUTATIONS: readonly Mutation[] = [
  (block, random) => replace(block, random(block.length), 1, [random(256)]),
  (block, random) => replace(block, random(block.length), 1, [EDGES[random(EDGES.length)]!]),
  (block, random) => replace(block, random(block.length), 0, [EDGES[random(EDGES.length)]!]),
  (block, random) => {
    const at = random(block.length);
    return replace(block, at, 1, [(block[at] ?? 0) ^ 1 << random(8)]);
  },
  (block, random) => replace(block, random(block.length), random(8), []),
  (block, random) => block.subarray(0, random(block.length + 1)),
  (block, random) => {
    const at = random(block.length);
    const part = block.subarray(at, at + 1 + random(16));
    return replace(block, at, 0, Array.from({ length: 1 + random(40) }, () => [...part]).flat());
  },
  (block, random, other) => replace(block, random(block.length + 1), 0, other.subarray(random(other.length))),
  (_, __, other) => other,
];

function replace(block: Uint8Array, at: number, length: number, by: ArrayLike<number>): Uint8Array {
  return Uint8Array.of(...block.subarray(0, at), ...Array.from(by), ...block.subarray(at + length));
}

/** Pseudorandom integers below a bound (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32 * below);
  };
}

async function readCorpus(): Promise<Connection[]> {
  const files = (await Array.fromAsync(Deno.readDir(CORPUS))).map(({ name }) => name).sort();
  return await Promise.all(files.map(async (name) => readBlocks(await Deno.readFile(new URL(name, CORPUS)))));
}

function readBlocks(file: Uint8Array): Connection {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < file.length;) {
    const length = file[at]! << 8 | file[at + 1]!;
    blocks.push(file.subarray(at + 2, at += 2 + length));
  }
  return blocks;
}
