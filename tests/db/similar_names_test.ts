/** Similar names: which mistakes are recognized, and texts that must not become patterns. */
import assert from "node:assert/strict";
import { similarNames } from "../../db/similar_names.ts";

/** LIKE in any case. */
function matches(pattern: string, name: string): boolean {
  const regex = pattern.replaceAll(
    /\\(.)|(_)|([^\p{L}\p{N}\s])/gu,
    (_, escaped: string | undefined, any: string | undefined, other: string) =>
      any ? "." : `[${escaped ?? other}]`,
  );
  return new RegExp(`^${regex}$`, "iu").test(name);
}

const finds = (text: string, name: string) =>
  similarNames(text)?.patterns.some((pattern) => matches(pattern, name)) ?? false;

Deno.test("a name is found with one letter too many, too few, wrong or exchanged, or with an umlaut spelled out", () => {
  for (
    const [text, name] of [
      ["Niederhausser", "Niederhauser"],
      ["Niederhauer", "Niederhauser"],
      ["Niederhauzer", "Niederhauser"],
      ["Niederhasuer", "Niederhauser"],
      ["Niederhause", "Niederhauser"],
      ["Gruenwald", "Grünwald"],
      ["Grünwald", "Gruenwald"],
      ["Weiss", "Weiß"],
      ["Ottkar Birnstiel", "Ottokar Birnstiel"],
      ["O'Bryan", "O'Brian"],
    ] as const
  ) assert.ok(finds(text, name), text);
  for (
    const [text, name] of [
      ["Liederhauser", "Niederhauser"], // the first letter has to be right
      ["Nederhausr", "Niederhauser"], // two mistakes
      ["Ottkar Birnstil", "Ottokar Birnstiel"],
      ["Quirrel", "Quirrellison"],
    ] as const
  ) assert.ok(!finds(text, name), text);
});

Deno.test("what LIKE reserves is text", () => {
  assert.ok(!finds("____", "Anna"));
  assert.ok(finds("a_b%cd", "a_b%c"));
  assert.ok(!finds("a_b%cd", "axb%c"));
  assert.deepEqual(similarNames("%ercent")?.beginnings[0], ["\\%%", null]);
});

Deno.test("short, long and many words have no similar names", () => {
  for (const text of ["Tom", "Li Wu", "x".repeat(25), "Anna Bert Carl Dora"]) {
    assert.equal(similarNames(text), undefined, text);
  }
});
