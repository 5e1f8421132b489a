/** Line splitter: quoted cells, independence of chunk boundaries, and linear time. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createSplitter, type Line, LINE_LIMIT, readLines } from "../../rest/line_splitter.ts";
import { readRows, type RowFormat } from "../../rest/customers/bulk_rows.ts";
import { assertLinear } from "../growth.ts";

const encoder = new TextEncoder();
const decode = (line: Line) => line && new TextDecoder().decode(line);

function split(chunks: readonly Uint8Array[], quotes: boolean, limit?: number): (string | undefined)[] {
  const { push, end } = createSplitter(quotes, limit);
  return [...chunks.flatMap(push), ...end()].map(decode);
}

Deno.test("a quoted cell continues after line feeds, and one that is not closed affects its own line only", () => {
  const cases: [text: string, lines: (string | undefined)[], limit?: number][] = [
    [`a,b\nc`, ["a,b", "c"]],
    [`"a\nb",c\nd\n`, [`"a\nb",c`, "d"]],
    [`"a ""b""\n",c\nd`, [`"a ""b""\n",c`, "d"]],
    [`a"b\nc`, [`a"b`, "c"]],
    [`"a\nb\nc`, [`"a`, "b", "c"]],
    [`"a\n"b\nc\n`, [`"a\n"b`, "c"]],
    [`"a\nbbbbbbbb\nc"\nd\n`, [`"a`, "bbbbbbbb", `c"`, "d"], 10],
    [`${"a".repeat(11)}\nb\n`, [undefined, "b"], 10],
    [`"a\n${"b".repeat(11)}\nc\n`, [`"a`, undefined, "c"], 10],
    [`${"a".repeat(10)}\nb`, ["a".repeat(10), "b"], 10],
    [`\n\na\n`, ["", "", "a"]],
    [`x","\nx","\nx","\n`, [`x","`, `x","`, `x","`]],
  ];
  for (const [text, lines, limit] of cases) {
    assert.deepEqual(split([encoder.encode(text)], true, limit), lines, JSON.stringify(text));
  }
});

Deno.test("lines do not depend on chunk boundaries", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n"), maxLength: 60 });
  const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 8 });
  fc.assert(
    fc.property(letters, cuts, fc.boolean(), fc.integer({ min: 1, max: 20 }), (text, cuts, quotes, limit) => {
      const bytes = encoder.encode(text);
      const edges = [
        0,
        ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
        bytes.length,
      ];
      const chunks = edges.slice(1).map((edge, at) => bytes.subarray(edges[at], edge));
      assert.deepEqual(split(chunks, quotes, limit), splitSimply(text, quotes, limit));
    }),
    { numRuns: 2_000 },
  );
});

/** Simple reference implementation, with quadratic time. */
function splitSimply(text: string, quotes: boolean, limit: number): (string | undefined)[] {
  if (text === "") return [];
  let [open, atCell] = [false, true];
  for (let at = 0; at <= Math.min(text.length, limit); at++) {
    const letter = text[at];
    if (letter === "\n" && !open) {
      return [text.slice(0, at), ...splitSimply(text.slice(at + 1), quotes, limit)];
    }
    if (at === text.length && !open) return [text];
    const toggles = quotes && letter === '"' && (open || atCell);
    if (toggles && at < limit) open = !open;
    atCell = letter === "," || toggles;
  }
  const end = text.indexOf("\n");
  const rest = end < 0 ? [] : splitSimply(text.slice(end + 1), quotes, limit);
  const first = end < 0 ? text : text.slice(0, end);
  return [first.length > limit ? undefined : first, ...rest];
}

/** Inputs for which a naive splitter or parser reads the same bytes again. */
const ADVERSARIAL: Record<string, string> = {
  "cells that open on every line": `x","\n`,
  "cells that open on every other line": `"x\n`,
  "quotes": `"`,
  "quotes and commas": `",`,
  "quotes and spaces": `" `,
  "quotes that are escaped": `""`,
  "line feeds": "\n",
  "cells of one letter": "a,",
  "spaces": " ",
  "letters": "x",
  "brackets": "[",
};

Deno.test("the time to split lines is linear for any chunk size", async () => {
  for (const [what, unit] of Object.entries(ADVERSARIAL)) {
    for (const chunk of [LINE_LIMIT, 256]) {
      await assertLinear(`${what}, in chunks of ${chunk}`, 8 * 1024, (size) => {
        const bytes = encoder.encode(unit.repeat(size / unit.length));
        return async () =>
          await Array.fromAsync(readLines(chunksOf(bytes, chunk), { ...OPTIONS, quotes: true }));
      });
    }
  }
});

Deno.test("the time to parse a row is linear", async () => {
  for (const [what, unit] of Object.entries(ADVERSARIAL).filter(([, unit]) => !unit.includes("\n"))) {
    for (const [format, header] of [["csv", "email\n"], ["json", ""]] satisfies [RowFormat, string][]) {
      for (const before of ["", `"`, `{"email":"`]) {
        await assertLinear(`${before}${what}, as ${format}`, LINE_LIMIT / 8 - 16, (size) => {
          const bytes = encoder.encode(header + before + unit.repeat(size / unit.length));
          return async () => {
            for await (const rows of readRows(chunksOf(bytes, LINE_LIMIT), format, OPTIONS)) [...rows];
          };
        });
      }
    }
  }
});

const OPTIONS = { stallMs: 60_000, signal: new AbortController().signal };

function chunksOf(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += size));
    },
  });
}
