/** All files name the license of this repository, that of LICENSE. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { writeBom } from "../../tasks/supply/bom.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

/** SPDX identifier of the license. */
const LICENSE = "Apache-2.0";

Deno.test("LICENSE has the whole text of the Apache License 2.0", async () => {
  const text = await read("LICENSE");
  assert.match(text, /Apache License\s+Version 2\.0, January 2004/);
  for (const part of ["9. Accepting Warranty", "END OF TERMS AND CONDITIONS", "APPENDIX"]) {
    assert.ok(text.includes(part), part);
  }
});

Deno.test("packages, the image, the documents and the bill of materials name that license", async () => {
  const bom = JSON.parse(writeBom([], { deno: Deno.version.deno }));
  const named = {
    "deno.json": JSON.parse(await read("deno.json")).license,
    "package.json": JSON.parse(await read("package.json")).license,
    "Dockerfile": (await read("Dockerfile")).match(/image\.licenses="(.*)"/)?.[1],
    "docs/openapi.json": JSON.parse(await read("docs/openapi.json")).info.license?.name,
    "docs/asyncapi.yaml": parse(await read("docs/asyncapi.yaml")).info.license?.name,
    "bill of materials": bom.metadata.component.licenses?.[0].license.id,
  };
  for (const [place, license] of Object.entries(named)) assert.equal(license, LICENSE, place);
});

Deno.test("the image contains the license", async () => {
  assert.match(await read(".dockerignore"), /^!LICENSE$/m);
});
