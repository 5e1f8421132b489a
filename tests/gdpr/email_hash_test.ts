/** The keyed hash of an email: one for each spelling, and as docs/participants.md explains it. */
import assert from "node:assert/strict";
import { hashWith } from "../../actors/gdpr/requests/email_hash.ts";

const KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

Deno.test("spellings of one email have one hash, and each example of the documentation holds", async () => {
  const key = await crypto.subtle.importKey(
    "raw",
    Uint8Array.fromBase64(KEY),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const hash = async (email: string) => (await hashWith(key, email)).toHex();
  const same = ["Info@MÜNCHEN.example", "info@mu\u0308nchen.example", "INFO@xn--mnchen-3ya.EXAMPLE"];
  assert.equal(new Set(await Promise.all(same.map(hash))).size, 1);
  assert.notEqual(await hash("info@muenchen.example"), await hash(same[0]!));
  // Accepted by an earlier version, no longer accepted.
  assert.equal(await hash("A@x-.com"), await hash("a@x-.com"));

  const page = await Deno.readTextFile(new URL("../../docs/participants.md", import.meta.url));
  const examples = [
    ...page.replaceAll(/\s+/g, " ").matchAll(/the hash of `([^`]+@[^`]+)` is `([0-9a-f]{64})`/g),
  ];
  assert.equal(examples.length, 2);
  for (const [, email = "", expected] of examples) assert.equal(await hash(email), expected);
});
