/**
 * All regular expressions take linear time, and the list of verified ones has them. UPDATE_EXPRESSIONS=1 writes the list.
 */
import assert from "node:assert/strict";
import { checkExpression, findExpressions, readVerified, VERIFIED } from "./expressions.ts";

Deno.test("every regular expression takes linear time, and is in the list of verified ones", async () => {
  const found = await findExpressions();
  const wrong = [...found].filter(([, { pattern }]) => checkExpression(pattern) !== "safe");
  assert.deepEqual(wrong.map(([text, { path }]) => `${path} ${text}`), []);
  const texts = [...found.keys()].toSorted();
  if (Deno.env.get("UPDATE_EXPRESSIONS") === "1") {
    await Deno.writeTextFile(VERIFIED, `${JSON.stringify(texts, null, 2)}\n`);
  }
  assert.deepEqual(await readVerified(), texts, "UPDATE_EXPRESSIONS=1 writes the list anew");
});
