import assert from "node:assert/strict";
import { hmacSha256, isEqual, sha256 } from "../../lib/hash.ts";

Deno.test("SHA-256 of texts and bytes matches FIPS 180-4", () => {
  const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assert.equal(sha256("abc").toHex(), expected);
  assert.equal(sha256(new TextEncoder().encode("abc")).toHex(), expected);
});

Deno.test("HMAC-SHA-256 matches RFC 4231, with a secret as text, as bytes and as a key", async () => {
  // Test case 2.
  const expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  const secret = new TextEncoder().encode("Jefe");
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  for (const by of ["Jefe", secret, key]) {
    assert.equal(hmacSha256(by, "what do ya want for nothing?").toHex(), expected);
  }
});

Deno.test("secrets are equal when all their characters are, whatever their lengths", () => {
  assert.equal(isEqual("secret", "secret"), true);
  for (const other of ["", "secre", "secret ", "Secret", "secres"]) {
    assert.equal(isEqual("secret", other), false);
  }
});
