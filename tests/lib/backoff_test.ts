import assert from "node:assert/strict";
import { exponential, jittered } from "../../lib/backoff.ts";

Deno.test("the delay doubles with each attempt, up to the maximum", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 50, 5_000].map((attempt) => exponential(attempt, 100, 1_000)), [
    100,
    100,
    200,
    400,
    800,
    1_000,
    1_000,
  ]);
});

Deno.test("jitter subtracts up to half", () => {
  assert.equal(jittered(1_000, () => 0), 500);
  assert.equal(jittered(1_000, () => 0.5), 750);
  for (let i = 0; i < 100; i++) assert.ok(jittered(1_000) >= 500 && jittered(1_000) < 1_000);
});
