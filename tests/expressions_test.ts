/** Regular expressions that are new or changed take linear time. */
import assert from "node:assert/strict";
import { checkExpression, findExpressions, readVerified } from "./expressions.ts";

Deno.test("every regular expression takes linear time", async () => {
  const verified = new Set(await readVerified());
  const wrong: string[] = [];
  for (const [text, { path, pattern }] of await findExpressions()) {
    if (verified.has(text)) continue;
    const status = checkExpression(pattern);
    if (status !== "safe") wrong.push(`${path} ${text}: ${status}`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("the check detects a quadratic expression", () => {
  assert.equal(checkExpression(/( cannot represent[^:]*):.*$/s), "vulnerable");
});
