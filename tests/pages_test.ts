/** Pages refer to existing names, files and headings. */
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

Deno.test("every link of a page leads to an existing file or folder, and to an existing heading", async () => {
  let links = 0;
  for (const folder of [".", "docs", "docs/adr", "deploy/router", "examples", "grpc", "vendor"]) {
    for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
      if (!name.endsWith(".md")) continue;
      const here = new URL(`${folder}/${name}`, ROOT);
      const page = (await Deno.readTextFile(here)).replaceAll(/```.*?```|`[^`\n]*`/gs, "");
      for (const [, target = ""] of page.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:|^mailto:/.test(target)) continue;
        const url = new URL(target, here);
        const anchor = url.hash.slice(1);
        url.hash = "";
        const info = await Deno.stat(url).catch(() => undefined);
        assert.ok(info, `${folder}/${name}: nothing at ${target}`);
        if (anchor && info.isFile) {
          const anchors = headings(await Deno.readTextFile(url));
          assert.ok(anchors.includes(anchor), `${folder}/${name}: no heading at ${target}`);
        }
        links++;
      }
    }
  }
  assert.ok(links > 50);
});

/** The anchors of a page's headings, as GitHub makes them. */
function headings(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) =>
    text.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-")
  );
}
