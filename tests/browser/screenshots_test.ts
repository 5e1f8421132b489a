/** The pictures in docs/images: `deno task screenshots` takes them again, of a store whose people are made up. */
import assert from "node:assert/strict";
import { browserTest } from "./browser.ts";
import { livedMonth } from "./month.ts";

const FOLDER = new URL("../../docs/images/", import.meta.url);
const SIZE = { width: 1280, height: 1140 };
const MOST_BYTES = 300_000;
const COLORS = ["light", "dark"] as const;

browserTest("the pictures of the inspector stand in the README, and are small", async (open) => {
  if (Deno.env.get("UPDATE_SCREENSHOTS") === "1") {
    await using month = await livedMonth();
    const pages = {
      overview: "/inspect",
      request: `/inspect/requests/${month.requests.erasing.id}`,
    };
    for (const colorScheme of COLORS) {
      await using visit = await open(month, { as: month.officer, colorScheme, viewport: SIZE });
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
    const picture = await Deno.readFile(new URL(name, FOLDER));
    assert.ok(picture.byteLength <= MOST_BYTES, `${name} has ${picture.byteLength} bytes`);
    const { buffer, byteOffset } = picture;
    const header = new DataView(buffer, byteOffset + 16, 8); // the size is what a PNG begins with
    assert.deepEqual([header.getUint32(0), header.getUint32(4)], [SIZE.width, SIZE.height], name);
    assert.ok(readme.includes(`docs/images/${name}`), name);
  }
});
