/** A token is remembered by what is signed of it. */
import { markOf } from "../../auth/token_mark.ts";
import assert from "node:assert/strict";
import { encode } from "./issuer.ts";

const HEADER = encode({ alg: "ES256" });

Deno.test("every spelling of a signature gives the same mark, and another payload another one", () => {
  const payload = encode({ exp: 2_000_000_000 });
  const mark = markOf(`${HEADER}.${payload}.AAAA`);
  assert.equal(mark?.hash.length, 32);
  assert.equal(mark?.expiresAt.getTime(), (2_000_000_000 + 60) * 1_000);
  for (const signature of ["AAAA=", "AAAB", "AAA", ""]) {
    assert.deepEqual(markOf(`${HEADER}.${payload}.${signature}`), mark);
  }
  assert.notDeepEqual(markOf(`${HEADER}.${encode({ exp: 2_000_000_001 })}.AAAA`)?.hash, mark?.hash);
});

Deno.test("what is not a token with a date of expiry has no mark", () => {
  for (const exp of [undefined, 1e300, -1e300]) {
    assert.equal(markOf(`${HEADER}.${encode({ exp })}.AAAA`), undefined, `${exp}`);
  }
  for (const text of ["", "x", "a.b.c", "....", `${HEADER}.${encode("text")}.AAAA`]) {
    assert.equal(markOf(text), undefined);
  }
});
