/** Token fingerprints depend on the signed part of the token only. */
import { fingerprintOf } from "../../auth/token_fingerprint.ts";
import assert from "node:assert/strict";
import { encode } from "./issuer.ts";

const HEADER = encode({ alg: "ES256" });

Deno.test("every spelling of a signature has the same fingerprint, and another payload another one", () => {
  const payload = encode({ exp: 2_000_000_000 });
  const fingerprint = fingerprintOf(`${HEADER}.${payload}.AAAA`);
  assert.equal(fingerprint?.hash.length, 32);
  assert.equal(fingerprint?.expiresAt.getTime(), (2_000_000_000 + 60) * 1_000);
  for (const signature of ["AAAA=", "AAAB", "AAA", ""]) {
    assert.deepEqual(fingerprintOf(`${HEADER}.${payload}.${signature}`), fingerprint);
  }
  assert.notDeepEqual(
    fingerprintOf(`${HEADER}.${encode({ exp: 2_000_000_001 })}.AAAA`)?.hash,
    fingerprint?.hash,
  );
});

Deno.test("a string that is not a token with an expiry has no fingerprint", () => {
  for (const exp of [undefined, 1e300, -1e300]) {
    assert.equal(fingerprintOf(`${HEADER}.${encode({ exp })}.AAAA`), undefined, `${exp}`);
  }
  for (const text of ["", "x", "a.b.c", "....", `${HEADER}.${encode("text")}.AAAA`]) {
    assert.equal(fingerprintOf(text), undefined);
  }
});
