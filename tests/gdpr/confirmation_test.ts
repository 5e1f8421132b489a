/** The signed bytes of a confirmation, as docs/participants.md explains them. */
import assert from "node:assert/strict";
import { confirmationBytes, evidenceDigest, findSigner } from "../../actors/gdpr/receipts/confirmation.ts";

Deno.test("the example of the documentation holds: its lines are the signed bytes, and its signature is valid", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/participants.md", import.meta.url));
  const [, lines = ""] = page.match(/```text\n(customer-service\/erasure-confirmation@1\n[^`]+)\n```/) ?? [];
  const [, storeId = "", customerId = "", requestId = "", last = ""] = lines.split("\n");
  const [service = "", evidenceSha256 = ""] = last.split(" ");
  const text = page.replaceAll(/\s+/g, " ");
  const [, evidence = ""] = text.match(/with the evidence `([^`]+)`/) ?? [];
  assert.equal(evidenceDigest(requestId, evidence).sha256, evidenceSha256);
  const confirmation = { storeId, customerId, requestId, service, evidenceSha256 };
  assert.equal(new TextDecoder().decode(confirmationBytes(confirmation)), lines);

  const [, privateKey = ""] = text.match(/private key `([\w+/=]+)`/) ?? [];
  const [, publicKey = ""] = text.match(/public key is `([\w+/=]+)`/) ?? [];
  const [, signature = ""] = text.match(/signature is `([\w+/=]+)`/) ?? [];
  const pkcs8 = Uint8Array.fromBase64(privateKey);
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const signed = await crypto.subtle.sign("Ed25519", key, confirmationBytes(confirmation));
  assert.equal(new Uint8Array(signed).toBase64(), signature);
  const { x = "" } = await crypto.subtle.exportKey("jwk", key);
  const bare = Uint8Array.fromBase64(x, { alphabet: "base64url" });
  assert.equal(bare.toBase64(), publicKey);
  const bytes = Uint8Array.fromBase64(signature);
  assert.equal(await findSigner(confirmation, bytes, [new Uint8Array(32).fill(3), bare]), bare);
  assert.equal(await findSigner({ ...confirmation, service: "payment-service" }, bytes, [bare]), undefined);
  assert.equal(await findSigner(confirmation, bytes, []), undefined);
});
