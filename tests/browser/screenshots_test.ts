/** Screenshots in docs/images. `deno task screenshots` takes new ones, of a store with invented customers. */
import assert from "node:assert/strict";
import { browserTest } from "./browser.ts";
import { openSampleStore } from "./sample_store.ts";

const FOLDER = new URL("../../docs/images/", import.meta.url);
const SIZE = { width: 1280, height: 1140 };
const MAX_BYTES = 300_000;
const COLORS = ["light", "dark"] as const;

browserTest("the README shows the screenshots of the inspector, and they are small", async (open) => {
  if (Deno.env.get("UPDATE_SCREENSHOTS") === "1") {
    await using sample = await openSampleStore();
    const pages = {
      overview: "/inspect",
      request: `/inspect/requests/${sample.requests.erasing.id}`,
    };
    for (const colorScheme of COLORS) {
      await using visit = await open(sample, { as: sample.officer, colorScheme, viewport: SIZE });
      for (const [name, path] of Object.entries(pages)) {
        await visit.page.goto(path, { waitUntil: "load" });
        await visit.page.screenshot({ path: new URL(`${name}-${colorScheme}.png`, FOLDER).pathname });
      }
    }
  }
  const readme = await Deno.readTextFile(new URL("../../README.md", FOLDER));
  for (
    const name of ["overview", "request"].flatMap((page) => COLORS.map((color) => `${page}-${color}.png`))
  ) {
    const image = await Deno.readFile(new URL(name, FOLDER));
    assert.ok(image.byteLength <= MAX_BYTES, `${name} has ${image.byteLength} bytes`);
    const { buffer, byteOffset } = image;
    const header = new DataView(buffer, byteOffset + 16, 8); // the position of the size in a PNG
    assert.deepEqual([header.getUint32(0), header.getUint32(4)], [SIZE.width, SIZE.height], name);
    assert.ok(readme.includes(`docs/images/${name}`), name);
  }
});
