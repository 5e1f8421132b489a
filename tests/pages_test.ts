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

Deno.test("every entry about library internals names existing files, and a test that exists", async () => {
  const page = await Deno.readTextFile(new URL(INTERNALS, ROOT));
  const entries = page.split("\n## ").slice(1).flatMap((section) => section.split("\n- ").slice(1))
    .map((entry) => entry.replaceAll(/\s+/g, " "));
  assert.ok(entries.length > 15);
  for (const entry of entries) {
    const [code = "", tests = ""] = entry.split(/ Tests?: /);
    const paths = [...code.split(": ")[0]!.matchAll(/`([\w./]+)`/g)].map(([, path = ""]) => path)
      .filter((path) => /[./]/.test(path) || path === "Dockerfile");
    assert.ok(paths.length > 0, `no file: ${entry}`);
    for (const path of paths) assert.ok(await exists(path), `nothing at ${path}: ${entry}`);
    const named = [...tests.matchAll(/`(tests\/[\w./]+\.ts)`(?:, "([^"]+)")?/g)];
    assert.ok(named.length > 0, `no test: ${entry}`);
    for (const [, path = "", name = ""] of named) {
      const source = await Deno.readTextFile(new URL(path, ROOT)).catch(() => "");
      assert.match(source, /Deno\.test\(|Test\(|assert/, `no test at ${path}: ${entry}`);
      assert.ok(source.includes(name), `${path} has no test "${name}"`);
    }
  }
});

Deno.test("every file that reads a private member of a library has an entry about it", async () => {
  const page = await Deno.readTextFile(new URL(INTERNALS, ROOT));
  const found: string[] = [];
  for await (const path of sources("")) {
    const source = (await Deno.readTextFile(new URL(path, ROOT))).replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, "");
    if (PRIVATE.test(source)) found.push(path);
  }
  assert.ok(found.length > 8, found.join());
  assert.deepEqual(found.filter((path) => !page.includes(`\`${path}\``)), []);
});

const INTERNALS = "docs/library_internals.md";
/** Members with an underscore, symbols and prototypes of other objects, and internal names of XState. */
const PRIVATE = /\._[a-z]|\{ _[a-z]+\w* \}|getOwnPropertySymbols|getPrototypeOf|["`/^]xstate\\?\./;
/** Folders without code of the service, and code that is not ours. */
const OUTSIDE = /^(?:\.|node_modules|vendor|tests|bench|examples|docs|proto|grpc\/gen)/;

/** Source files of the service and its tasks below a folder. */
async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder || ".", ROOT))) {
    const path = `${folder}${name}`;
    if (OUTSIDE.test(path)) continue;
    if (isDirectory) yield* sources(`${path}/`);
    else if (/\.tsx?$/.test(name)) yield path;
  }
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(new URL(path, ROOT)).then(() => true, () => false);
}

/** The anchors of a page's headings, as GitHub makes them. */
function headings(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) =>
    text.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-")
  );
}

Deno.test("the guide for officers names forms, links and sections of the inspector", async () => {
  const guide = await Deno.readTextFile(new URL("../docs/officers.md", import.meta.url));
  // The labels of fields are in the definition of the fields.
  const sources = [await Deno.readTextFile(new URL("../domain/address.ts", import.meta.url))];
  for await (const path of filesOf(new URL("../inspect/", import.meta.url))) {
    if (path.pathname.endsWith(".tsx") || path.pathname.endsWith(".ts")) {
      sources.push(await Deno.readTextFile(path));
    }
  }
  const text = sources.join("\n");
  const names = [...guide.matchAll(/\*\*([^*]+)\*\*/g)].map(([, name]) => name!.replace(/\s+/g, " "));
  assert.ok(names.length > 15);
  assert.deepEqual(names.filter((name) => !text.includes(name)), []);
});

async function* filesOf(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesOf(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}
