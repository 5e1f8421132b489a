/** Published keys of receipts: current and earlier ones, for everyone, without a private key. */
import assert from "node:assert/strict";
import { openKeys } from "../../config/keys.ts";
import { readConfig } from "../../config/mod.ts";
import { createReceiptKeys } from "../../rest/receipt_keys.ts";

Deno.test("the current and earlier public keys of receipts are published as a JWK Set", async () => {
  const generate = async () => {
    const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
    const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey)).toBase64();
    const exported = async (format: "spki" | "raw") =>
      new Uint8Array(await crypto.subtle.exportKey(format, pair.publicKey)).toBase64();
    return { pair, pkcs8, spki: await exported("spki"), raw: await exported("raw") };
  };
  const [current, spki, raw] = [await generate(), await generate(), await generate()];
  const folder = await Deno.makeTempDir({ prefix: "customer-service-jwks-" });
  try {
    const { gdpr } = readConfig({
      GDPR_RECEIPT_KEY: current.pkcs8,
      GDPR_RECEIPT_PUBLIC_KEYS: `${spki.spki}, ${raw.raw}`,
    });
    const { receiptJwks, receiptKey } = await openKeys(gdpr.keys, folder);
    const response = await createReceiptKeys(receiptJwks).request("/.well-known/erasure-receipt-keys.json");
    assert.deepEqual([response.status, response.headers.get("content-type")], [
      200,
      "application/jwk-set+json",
    ]);
    const { keys } = await response.json();
    assert.deepEqual(keys[0].kid, receiptKey.id);
    assert.deepEqual(new Set(keys.flatMap(Object.keys)), new Set(["kty", "crv", "alg", "use", "kid", "x"]));
    const message = new TextEncoder().encode("a receipt");
    for (const [index, { pair }] of [current, spki, raw].entries()) {
      const key = await crypto.subtle.importKey("jwk", keys[index], "Ed25519", false, ["verify"]);
      const signature = await crypto.subtle.sign("Ed25519", pair.privateKey, message);
      assert.ok(await crypto.subtle.verify("Ed25519", key, signature, message));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a private key is refused as a published key, and not quoted", () => {
  const pkcs8 = "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
  assert.throws(
    () => readConfig({ GDPR_RECEIPT_PUBLIC_KEYS: pkcs8 }),
    (error: Error) => error.message.includes("GDPR_RECEIPT_PUBLIC_KEYS") && !error.message.includes(pkcs8),
  );
});
