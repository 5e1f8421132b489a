/** Contents of the executable of `deno task compile`, without compiling, which needs downloads. */
import assert from "node:assert/strict";
import { FLAGS, INCLUDED } from "../../tasks/compile.ts";
import { modules } from "./modules.ts";
import { exists, readText } from "./yaml.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("the executable contains every file that is read at run time", async () => {
  const read = new Set<string>();
  for (const path of await modules("main.ts")) {
    for (const [, file = ""] of (await readText(path)).matchAll(/new URL\("([^"]+)", import\.meta\.url\)/g)) {
      read.add(new URL(file, new URL(path, ROOT)).href.slice(ROOT.href.length).replace(/\/$/, ""));
    }
  }
  assert.deepEqual([...read].sort(), [...INCLUDED].sort());
  for (const path of INCLUDED) assert.ok(await exists(path), path);
});

Deno.test("the executable has the unstable features of the image", async () => {
  const unstable = (text: string) => new Set(text.match(/--unstable-[a-z-]+/g));
  const [entrypoint = ""] = (await readText("Dockerfile")).match(/^ENTRYPOINT .*/m) ?? [];
  assert.ok(unstable(entrypoint).size > 0);
  assert.deepEqual(unstable(FLAGS.join(" ")), unstable(entrypoint));
});

Deno.test("the executable has the permissions of deno.json, restricted only where its location does not matter", async () => {
  const granted = JSON.parse(await readText("deno.json")).permissions.default;
  const names = FLAGS.flatMap((flag) => /^--allow-(\w+)/.exec(flag)?.[1] ?? []);
  assert.deepEqual(names.sort(), Object.keys(granted).sort());
});
