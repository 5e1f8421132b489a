/** Pages that say of a name in which file it is: there it is. */
import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);

Deno.test("every name that a page places in a file stands in that file", async () => {
  const placed: string[] = [];
  for (const folder of [".", "docs", "docs/adr", "deploy/router"]) {
    for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
      if (!name.endsWith(".md")) continue;
      const page = await Deno.readTextFile(new URL(`${folder}/${name}`, ROOT));
      for (const [claim, word = "", path = ""] of page.matchAll(/`(\w+)`\s(?:of|in)\s+`([\w/.]+\.tsx?)`/g)) {
        const source = await Deno.readTextFile(new URL(path, ROOT)).catch(() => "");
        assert.ok(new RegExp(`\\b${word}\\b`).test(source.replace(/^import .*$/gm, "")), `${name}: ${claim}`);
        placed.push(claim);
      }
    }
  }
  assert.ok(placed.length > 5);
});
