/** Secret keys, configured or generated once for development. */
import { openKeys } from "../../config/keys.ts";
import { ConfigError, readConfig } from "../../config/mod.ts";
import assert from "node:assert/strict";

const NONE = readConfig({}).gdpr.keys;

async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "customer-service-keys-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("keys for development are generated once by concurrent starts, readable by their owner only", async () => {
  await using folder = await temporaryFolder();
  const data = `${folder.path}/not/yet/there`;
  const starts = await Promise.all(Array.from({ length: 10 }, () => openKeys(NONE, data)));
  const text = new TextEncoder().encode("the same from every one of them");
  for (const algorithm of ["linkKey", "digestKey"] as const) {
    const codes = await Promise.all(
      starts.map(async (keys) =>
        new Uint8Array(await crypto.subtle.sign("HMAC", keys[algorithm], text)).toHex()
      ),
    );
    assert.equal(new Set(codes).size, 1, algorithm);
  }
  assert.equal(new Set(starts.map((keys) => keys.receiptKey.id)).size, 1);
  const [one, other] = [starts[0]!, starts[1]!];
  const nonce = { name: "AES-GCM", iv: new Uint8Array(12) };
  const sealed = await crypto.subtle.encrypt(nonce, one.exportKey, text);
  assert.deepEqual(new Uint8Array(await crypto.subtle.decrypt(nonce, other.exportKey, sealed)), text);
  const signature = await crypto.subtle.sign("Ed25519", one.receiptKey.private, text);
  assert.ok(await crypto.subtle.verify("Ed25519", other.receiptKey.public, signature, text));

  assert.deepEqual(await Array.fromAsync(Deno.readDir(data), ({ name }) => name), ["gdpr-keys.json"]);
  if (Deno.build.os !== "windows") {
    assert.equal(((await Deno.stat(`${data}/gdpr-keys.json`)).mode ?? 0) & 0o777, 0o600);
  }
});

Deno.test("a configured key overrides the stored one, and no file is written if all keys are configured", async () => {
  await using folder = await temporaryFolder();
  const stored = await openKeys(NONE, folder.path);
  const file = await Deno.readTextFile(`${folder.path}/gdpr-keys.json`);
  const configured = readConfig(JSON.parse(file)).gdpr.keys;

  await using elsewhere = await temporaryFolder();
  assert.equal((await openKeys(configured, elsewhere.path)).receiptKey.id, stored.receiptKey.id);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(elsewhere.path)), []);

  const { receiptKey } = await openKeys({ ...NONE, receiptKey: configured.receiptKey }, elsewhere.path);
  assert.equal(receiptKey.id, stored.receiptKey.id);
  assert.notEqual((await openKeys(NONE, elsewhere.path)).receiptKey.id, stored.receiptKey.id);
});

Deno.test("a file without keys is refused by its path and not changed", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/gdpr-keys.json`;
  for (
    const content of [
      "",
      "{",
      "[]",
      `{"GDPR_EXPORT_KEY":"c2hvcnQ=","GDPR_HASH_KEY":"","GDPR_RECEIPT_KEY":""}`,
    ]
  ) {
    await Deno.writeTextFile(path, content);
    await assert.rejects(
      openKeys(NONE, folder.path),
      (error) =>
        error instanceof ConfigError && error.message.includes(path) && !error.message.includes("c2hvcnQ"),
    );
    assert.equal(await Deno.readTextFile(path), content);
  }
});
