/** Supported releases of Deno, and that every file names the one in .dvmrc. */
import assert from "node:assert/strict";
import { refuseFaultyDeno } from "../../config/deno_version.ts";
import { ConfigError } from "../../config/mod.ts";

const ROOT = new URL("../../", import.meta.url);
const RELEASE = (await Deno.readTextFile(new URL(".dvmrc", ROOT))).trim();

Deno.test("start-up refuses the releases of Deno that close connections after a body, and names one to use", () => {
  for (const version of ["2.8.3", "2.9.0", "2.9.3", "2.9.5"]) {
    assert.throws(
      () => refuseFaultyDeno(version),
      (error) =>
        error instanceof ConfigError && error.message.includes(version) && /2\.9\.6/.test(error.message),
    );
  }
});

Deno.test("start-up accepts every other release of Deno", () => {
  for (const version of ["2.8.2", "2.9.6", "2.9.7", "2.10.0", "2.9.40", "12.9.4", Deno.version.deno]) {
    refuseFaultyDeno(version);
  }
});

Deno.test("the tests run on the release in .dvmrc, which start-up accepts", () => {
  assert.equal(Deno.version.deno, RELEASE);
  refuseFaultyDeno(RELEASE);
});

Deno.test("every command and image in the repository names the release in .dvmrc", async () => {
  let mentions = 0;
  for (
    const path of [
      "README.md",
      "CONTRIBUTING.md",
      "Dockerfile",
      ...await files("docs"),
      ...await files("deploy"),
    ]
  ) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    for (const [mention, version] of text.matchAll(/deno[@:](\d+\.\d+\.\d+)/g)) {
      assert.equal(version, RELEASE, `${path}: ${mention}`);
      mentions++;
    }
  }
  assert.ok(mentions >= 3, "README and Dockerfile name it");
});

/** Text files below a folder, except decision records, which never change. */
async function files(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}/${name}`;
    if (isDirectory && name !== "adr") found.push(...await files(path));
    else if (/\.(md|ya?ml|json|sh)$/.test(name)) found.push(path);
  }
  return found;
}
