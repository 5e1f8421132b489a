import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
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

Deno.test("HMAC-SHA-256 matches RFC 4231 with keys shorter and longer than a block", () => {
  const bytes = (byte: number, count: number) => new Uint8Array(count).fill(byte);
  const cases: [key: Uint8Array, data: Uint8Array | string, expected: string][] = [
    // Test cases 1, 3, 4, 6 and 7.
    [bytes(0x0b, 20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    [
      bytes(0xaa, 20),
      bytes(0xdd, 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ],
    [
      Uint8Array.from({ length: 25 }, (_, index) => index + 1),
      bytes(0xcd, 50),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ],
    [
      bytes(0xaa, 131),
      "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
    [
      bytes(0xaa, 131),
      "This is a test using a larger than block-size key and a larger than block-size data. " +
      "The key needs to be hashed before being used by the HMAC algorithm.",
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ],
  ];
  for (const [key, data, expected] of cases) assert.equal(hmacSha256(key, data).toHex(), expected);
});

Deno.test("HMAC-SHA-256 is that of node:crypto for keys and data of every length around a block", async () => {
  const lengths = [0, 1, 31, 32, 55, 56, 63, 64, 65, 127, 128, 129, 1_000];
  for (const length of lengths) {
    const secret = randomBytes(length + 1);
    const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]);
    for (const size of lengths) {
      for (const data of [randomBytes(size), "a".repeat(size), "ü€😀\ud800".repeat(size)]) {
        const expected = createHmac("sha256", secret).update(data).digest("hex");
        assert.equal(hmacSha256(key, data).toHex(), expected);
        assert.equal(hmacSha256(secret, data).toHex(), expected);
      }
    }
  }
});

Deno.test("secrets are equal when all their characters are, whatever their lengths", () => {
  assert.equal(isEqual("secret", "secret"), true);
  for (const other of ["", "secre", "secret ", "Secret", "secres"]) {
    assert.equal(isEqual("secret", other), false);
  }
});
