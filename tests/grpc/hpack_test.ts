/** HPACK: the examples of RFC 7541 Appendix C, both directions at random, limits, and what a decoder refuses. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteWriter } from "../../grpc/byte_writer.ts";
import { type HeaderList, HpackDecoder, HpackEncoder, HpackError } from "../../grpc/hpack/mod.ts";
import { readInteger, writeInteger } from "../../grpc/hpack/integers.ts";
import { examples } from "./rfc7541.ts";
import vectors from "./hpack_vectors.json" with { type: "json" };

const LIMITS = { maxTableSize: 4096, maxListSize: 16_384 };

Deno.test("integers are those of RFC 7541 C.1", () => {
  for (const [value, prefixBits, hex] of [[10, 5, "0a"], [1337, 5, "1f9a0a"], [42, 8, "2a"]] as const) {
    const out = new ByteWriter();
    writeInteger(out, 0, prefixBits, value);
    assert.equal(out.view().toHex(), hex);
    assert.equal(readInteger({ bytes: out.view(), at: 0, end: out.length }, prefixBits), value);
  }
});

Deno.test("integers reach 2^31 - 1 at any prefix", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 8 }), (value, bits) => {
      const out = new ByteWriter();
      writeInteger(out, 0, bits, value);
      const cursor = { bytes: out.view(), at: 0, end: out.length };
      assert.equal(readInteger(cursor, bits), value);
      assert.equal(cursor.at, out.length);
    }),
  );
});

for (const { section, tableSize, blocks, table } of examples) {
  Deno.test(`a decoder reads the blocks of RFC 7541 ${section}`, () => {
    const decoder = new HpackDecoder(LIMITS);
    if (tableSize !== 4096) decode(decoder, sizeUpdate(tableSize));
    for (const { hex, list } of blocks) assert.deepEqual(decode(decoder, hex), list);
    const indexes = table.map((_, age) => (0x80 | (62 + age)).toString(16)).join("");
    assert.deepEqual(decode(decoder, indexes), table.flat());
    assert.throws(() => decode(decoder, (0x80 | (62 + table.length)).toString(16)), HpackError);
  });
}

Deno.test("an encoder writes the blocks of RFC 7541 C.4", () => {
  const encoder = new HpackEncoder();
  // The requests of this section hold no field that the encoder does not index.
  for (const { hex, list } of examples.find(({ section }) => section === "C.4")!.blocks) {
    assert.equal(encode(encoder, list), hex);
  }
});

Deno.test("a decoder reads what another implementation writes", () => {
  for (const { name, blocks } of vectors) {
    const decoder = new HpackDecoder({ maxTableSize: 65_536, maxListSize: 1 << 20 });
    for (const { hex, list } of blocks) assert.deepEqual(decode(decoder, hex), list, name);
  }
  assert.ok(vectors.length >= 4);
});

const text = fc.oneof(
  fc.constantFrom("", ":path", ":status", "200", "grpc-status", "0", "authorization", "x-request-id", "te"),
  fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 60,
  }),
  fc.integer({ min: 100, max: 3000 }).map((length) => "v".repeat(length)),
);
const lists = fc.array(fc.array(fc.tuple(text, text), { maxLength: 12 }).map((fields) => fields.flat()));
const tableSize = fc.constantFrom(0, 31, 32, 64, 200, 1024, 4096, 16_384);

Deno.test("any lists survive any sizes of the table", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: lists.map((lists) => ({ lists })) },
    { weight: 1, arbitrary: tableSize.map((size) => ({ size })) },
  );
  let indexed = 0;
  fc.assert(
    fc.property(tableSize, fc.array(step), fc.uniqueArray(text), (own, steps, sensitive) => {
      const encoder = new HpackEncoder(own);
      const decoder = new HpackDecoder({ maxTableSize: 16_384, maxListSize: 1 << 20 });
      const secret = new Set(sensitive);
      for (const step of steps) {
        if ("size" in step) encoder.setPeerTableSize(step.size);
        else {
          for (const list of step.lists) {
            for (let repeat = 0; repeat < 3; repeat++) {
              const hex = encode(encoder, list, secret);
              if (hex.length === list.length && list.length > 0) indexed++;
              assert.deepEqual(decode(decoder, hex), list);
              assert.equal(decoder.fields, list.length / 2);
            }
          }
        }
      }
    }),
  );
  assert.ok(indexed > 0, "some blocks consist of indexes");
});

Deno.test("a repeated block gives the same list until the table changes", () => {
  const decoder = new HpackDecoder(LIMITS);
  decode(decoder, "400161" + "0162"); // a: b
  const block = "be82"; // a: b, :method: GET
  const list = decode(decoder, block);
  assert.deepEqual(list, ["a", "b", ":method", "GET"]);
  assert.equal(decode(decoder, "88")?.length, 2);
  assert.equal(decode(decoder, block), list);
  assert.equal(decoder.fields, 2);
  decode(decoder, "400163" + "0164"); // c: d
  assert.deepEqual(decode(decoder, block), ["c", "d", ":method", "GET"]);
  decode(decoder, sizeUpdate(0));
  assert.throws(() => decode(decoder, block), HpackError);
});

Deno.test("a list over its size is refused, the table stays in step, and nothing is stored", () => {
  const decoder = new HpackDecoder({ ...LIMITS, maxListSize: 100 });
  assert.deepEqual(decode(decoder, literal("40", "a", "b".repeat(67))), ["a", "b".repeat(67)]);
  assert.equal(decode(decoder, literal("40", "a", "b".repeat(68)) + literal("40", "c", "d")), undefined);
  assert.equal(decoder.fields, 2);
  assert.deepEqual(decode(decoder, "be"), ["c", "d"]);
  assert.equal(decode(decoder, "bf"), undefined);
  assert.deepEqual(decode(decoder, "c0"), ["a", "b".repeat(67)]);
  assert.equal(decode(decoder, "bebe" + "be"), undefined, "33 bytes each and an overhead of 32");
});

Deno.test("an entry over the table empties it, whether or not the list has room for it", () => {
  for (const maxListSize of [100, 16_384]) {
    const decoder = new HpackDecoder({ ...LIMITS, maxListSize });
    decode(decoder, literal("40", "a", "b"));
    const list = decode(decoder, literal("40", "c", "d".repeat(5000)));
    assert.equal(list?.length, maxListSize === 100 ? undefined : 2);
    assert.throws(() => decode(decoder, "be"), HpackError);
  }
});

Deno.test("references to a large entry allocate nothing that grows with their number", () => {
  const decoder = new HpackDecoder({ ...LIMITS, maxListSize: 8192 });
  decode(decoder, literal("40", "a", "b".repeat(3900)));
  assert.equal(decode(decoder, "be".repeat(2))?.length, 4);
  assert.equal(decode(decoder, "be".repeat(15_000)), undefined);
  assert.equal(decoder.fields, 15_000);
  const bounded = new HpackDecoder({ ...LIMITS, maxWork: 100 });
  assert.equal(decode(bounded, "82".repeat(100))?.length, 200);
  assert.throws(() => decode(bounded, "82".repeat(101)), HpackError);
});

const refused: Record<string, string> = {
  "index 0": "80",
  "an index over the longest table": "ff80808001",
  "a name index over the table": "7f00",
  "an index over the static table": "be",
  "a block that ends inside an integer": "ff",
  "a block that ends inside an integer's continuation": "ffff",
  "an integer over 2^31 - 1": "ffffffffff0f",
  "an integer with six continuation bytes": "ff808080808000",
  "an endless integer": "ff" + "80".repeat(1000),
  "a block that ends before a name": "40",
  "a block that ends before a value": "400161",
  "a string over the end of the block": "40016102" + "62",
  "a string of 2 GB": "4001617f80ffffff07",
  "a table size update after a field": "8220",
  "a table size update over the limit": sizeUpdate(4097),
  "a Huffman string with EOS": "40016184ffffffff",
  "EOS after a symbol": "40016185" + "1f" + "ffffffff",
  "padding over seven bits": "40016182" + "07ff",
  "a Huffman string of padding only": "40016181ff",
  "padding with zeros": "4001618118",
  "padding with a zero at its end": "400161811e",
  "a Huffman code without its end": "40016183fffffe",
};

for (const [name, hex] of Object.entries(refused)) {
  Deno.test(`a decoder refuses ${name}`, () => {
    assert.throws(() => decode(new HpackDecoder(LIMITS), hex), HpackError);
    // The same where nothing is stored, since the list exceeds its size.
    const full = new HpackDecoder({ ...LIMITS, maxListSize: 0 });
    assert.throws(() => decode(full, hex), HpackError);
  });
}

Deno.test("a decoder takes what is next to the refused", () => {
  const accepted: [hex: string, list: readonly string[]][] = [
    ["400161811f", ["a", "a"]], // three bits of padding
    ["40016100", ["a", ""]],
    ["40016180", ["a", ""]], // Huffman coded
    [literal("40", "a", "b".repeat(127)).replace("7f00", "7f8080808000"), ["a", "b".repeat(127)]],
    ["202082", [":method", "GET"]],
    [sizeUpdate(4096), []],
    ["", []],
  ];
  for (const [hex, list] of accepted) {
    assert.deepEqual(decode(new HpackDecoder(LIMITS), hex), list, hex);
  }
});

Deno.test("every octet survives Huffman coding, and the decoder reads nothing outside of the block", () => {
  const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");
  for (const value of [...all, all, all.repeat(20)]) {
    const hex = encode(new HpackEncoder(), ["authorization", value]);
    for (const around of ["00", "ff"]) {
      const bytes = Uint8Array.fromHex(around.repeat(3) + hex + around.repeat(8));
      const decoder = new HpackDecoder(LIMITS);
      assert.deepEqual(decoder.decode(bytes, 3, 3 + hex.length / 2), ["authorization", value]);
    }
  }
});

Deno.test("an encoder indexes what repeats, nothing that changes, and marks secrets", () => {
  const encoder = new HpackEncoder();
  const list = [
    ":path",
    "/a",
    "grpc-timeout",
    "1S",
    "authorization",
    "Bearer x",
    "x-tenant",
    "eu",
    "user-agent",
    "u",
  ];
  encode(encoder, list);
  const again = encode(encoder, list);
  assert.ok(again.startsWith("04"), "path: a literal without indexing, the name by index");
  assert.ok(again.includes("1f08"), "authorization: a literal that is never indexed");
  assert.ok(again.endsWith("bfbe"));
  const secret = encode(encoder, ["x-tenant", "eu"], new Set(["x-tenant"]));
  assert.ok(secret.startsWith("1f30"), "a name is a reference even if its value is a secret");
});

Deno.test("an encoder announces the smallest and the last size of the table", () => {
  const encoder = new HpackEncoder(2000);
  assert.equal(encode(encoder, []), sizeUpdate(2000));
  encode(encoder, ["a", "b"]);
  encoder.setPeerTableSize(100);
  encoder.setPeerTableSize(10);
  encoder.setPeerTableSize(1 << 30);
  assert.equal(encode(encoder, [":status", "200"]), sizeUpdate(10) + sizeUpdate(2000) + "88");
  assert.equal(encode(encoder, [":status", "200"]), "88");
  encoder.setPeerTableSize(4096);
  assert.equal(encode(encoder, [":status", "200"]), "88");
  encoder.setPeerTableSize(0);
  assert.equal(encode(encoder, [":status", "200"]), "2088");
  const larger = new HpackEncoder(8192);
  larger.setPeerTableSize(8192);
  assert.equal(encode(larger, []), sizeUpdate(8192));
});

Deno.test("an encoder that refuses a list stays in step and leaves the writer as it was", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(LIMITS);
  assert.ok(decode(decoder, encode(encoder, ["a", "b"])));
  const out = new ByteWriter();
  out.byte(1);
  assert.throws(() => encoder.encode(["c", "d", "e", "\u0100"], out), RangeError);
  assert.equal(out.length, 1);
  const list = ["a", "b", "c", "d"];
  assert.deepEqual(decode(decoder, encode(encoder, list)), list);
  assert.deepEqual(decode(decoder, encode(encoder, list)), list);
});

Deno.test("an encoder does not index what takes over half of the table", () => {
  const encoder = new HpackEncoder();
  for (const [length, isIndexed] of [[2015, true], [2016, false]] as const) {
    const list = ["a", "b".repeat(length)];
    encode(encoder, list);
    assert.equal(encode(encoder, list).length === 2, isIndexed);
  }
});

Deno.test("a table that is exactly full keeps its entries, and one byte more evicts the oldest", () => {
  for (const [length, oldest] of [[3972, "b"], [3973, undefined]] as const) {
    const decoder = new HpackDecoder(LIMITS);
    // 32 bytes of overhead each: 34 + 56 + (34 + length).
    decode(decoder, literal("40", "a", "b") + literal("40", "", "c".repeat(24)));
    decode(decoder, literal("40", "de", "f".repeat(length)));
    decode(decoder, sizeUpdate(4096));
    if (oldest) assert.deepEqual(decode(decoder, "c0"), ["a", oldest]);
    else assert.throws(() => decode(decoder, "c0"), HpackError);
    assert.equal(decode(decoder, "bfbe")?.length, 4);
  }
});

function decode(decoder: HpackDecoder, hex: string): HeaderList | undefined {
  const bytes = Uint8Array.fromHex(hex);
  return decoder.decode(bytes, 0, bytes.length);
}

/** The block as hex, written after other bytes. */
function encode(encoder: HpackEncoder, list: HeaderList, sensitive?: ReadonlySet<string>): string {
  const out = new ByteWriter();
  out.put(Uint8Array.of(1, 2, 3));
  encoder.encode(list, out, sensitive);
  assert.equal(out.view().toHex().slice(0, 6), "010203");
  return out.view().toHex().slice(6);
}

function sizeUpdate(size: number): string {
  const out = new ByteWriter();
  writeInteger(out, 0x20, 5, size);
  return out.view().toHex();
}

/** A literal without Huffman coding; `pattern` is its first byte. */
function literal(pattern: string, name: string, value: string): string {
  const out = new ByteWriter();
  for (const string of [name, value]) {
    writeInteger(out, 0, 7, string.length);
    out.put(new TextEncoder().encode(string));
  }
  return pattern + out.view().toHex();
}
