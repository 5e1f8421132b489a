/** Names that pages locate in a file exist there. */
import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);

Deno.test("every name that a page locates in a file exists in that file", async () => {
  const claims: string[] = [];
  for (const folder of [".", "docs", "docs/adr", "deploy/router"]) {
    for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
      if (!name.endsWith(".md")) continue;
      const page = await Deno.readTextFile(new URL(`${folder}/${name}`, ROOT));
      for (const [claim, word = "", path = ""] of page.matchAll(/`(\w+)`\s(?:of|in)\s+`([\w/.]+\.tsx?)`/g)) {
        const source = await Deno.readTextFile(new URL(path, ROOT)).catch(() => "");
        assert.ok(new RegExp(`\\b${word}\\b`).test(source.replace(/^import .*$/gm, "")), `${name}: ${claim}`);
        claims.push(claim);
      }
    }
  }
  assert.ok(claims.length > 5);
});
