/** Vendored code consists of the published packages plus patches, and includes its licenses. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { findDifferences, writePatches, writePublished } from "../../tasks/vendor/packages.ts";

const VENDOR = new URL("../../vendor/", import.meta.url).pathname;

Deno.test("vendored code is the published code plus the patch", async () => {
  assert.deepEqual(await findDifferences(VENDOR), []);
});

Deno.test("an edited, an added and a missing file of vendor/ are reported", async () => {
  await using copy = await copyOfVendor();
  const edited = join(copy.folder, "postgres/src/connection.js");
  await Deno.writeTextFile(edited, (await Deno.readTextFile(edited)).replace("15 minutes", "16 minutes"));
  await Deno.writeTextFile(join(copy.folder, "postgres/src/added.js"), "");
  await Deno.remove(join(copy.folder, "idiomorph/LICENSE"));
  const packed = join(copy.folder, "scalar/standalone.js.gz");
  const script = gunzipSync(await Deno.readFile(packed));
  await Deno.writeFile(packed, gzipSync(new Uint8Array([...script.subarray(0, -1), 0])));

  const paths = (await findDifferences(copy.folder)).map((sentence) => sentence.split(" ")[0]);
  assert.deepEqual(paths.sort(), [
    "vendor/idiomorph/LICENSE",
    "vendor/postgres/src/added.js",
    "vendor/postgres/src/connection.js",
    "vendor/scalar/standalone.js.gz",
  ]);

  await writePublished(copy.folder);
  assert.equal((await findDifferences(copy.folder)).length, 1, "all but Scalar's are rebuilt");
});

Deno.test("the edited folder can be rebuilt from the patch that is written after an edit", async () => {
  await using copy = await copyOfVendor();
  const path = join(copy.folder, "postgres/src/connection.js");
  await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replace("15 minutes", "16 minutes"));
  await writePatches(copy.folder);
  await writePublished(copy.folder);
  assert.match(await Deno.readTextFile(path), /16 minutes/);
});

Deno.test("a patch that does not match the published files is refused", async () => {
  await using copy = await copyOfVendor();
  const path = join(copy.folder, "postgres.patch");
  const patch = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, patch.replace(/^-import net from .*/m, "-import other from 'other'"));
  await assert.rejects(findDifferences(copy.folder), /Cannot apply .*postgres\.patch/);
});

Deno.test("an archive whose hash differs from the pinned one is refused", async () => {
  await using copy = await copyOfVendor();
  const path = join(copy.folder, "npm.lock");
  const lock = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, lock.replaceAll(/sha512-..../g, "sha512-AAAA"));
  await using cache = await temporaryFolder(); // an archive that is in the cache was verified when it was fetched
  await assert.rejects(
    findDifferences(copy.folder, { DENO_DIR: cache.folder }),
    /checksum did not match/,
  );
});

Deno.test("every vendored folder contains the text of its license", async () => {
  for await (const { name, isDirectory } of Deno.readDir(VENDOR)) {
    if (!isDirectory) continue;
    const text = await Promise.any(
      ["LICENSE", "UNLICENSE"].map((file) => Deno.readTextFile(join(VENDOR, name, file))),
    );
    assert.ok(text.length > 500, name);
  }
});

async function copyOfVendor() {
  const temporary = await temporaryFolder();
  await copyFolder(VENDOR, temporary.folder);
  return temporary;
}

async function temporaryFolder() {
  const folder = await Deno.makeTempDir({ prefix: "customer-service-vendor-test-" });
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}
