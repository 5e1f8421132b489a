/** Screenshots in docs/images. `deno task screenshots` takes new ones, of a store with invented customers. */
import assert from "node:assert/strict";
import { createGroup, tell } from "../actors/world.ts";
import { browserTest } from "./browser.ts";
import { openSampleStore } from "./sample_store.ts";

const FOLDER = new URL("../../docs/images/", import.meta.url);
const SIZE = { width: 1280, height: 1140 };
const MAX_BYTES = 300_000;
const COLORS = ["light", "dark"] as const;

browserTest("the README shows the screenshots of the inspector, and they are small", async (open) => {
  if (Deno.env.get("UPDATE_SCREENSHOTS") === "1") {
    await using sample = await openSampleStore();
    const { world, customers } = sample;
    for (const [name, priority] of [["Members", 10], ["Wholesale", 20]] as const) {
      const group = await createGroup(world, { name, priority });
      await tell(world, customers.active, "group.assign", { groupId: group.id });
    }
    const pages = {
      overview: "/inspect",
      request: `/inspect/requests/${sample.requests.erasing.id}`,
      customer: `/inspect/customers/${customers.active.id}`,
    };
    for (const colorScheme of COLORS) {
      for (const [name, path] of Object.entries(pages)) {
        const as = name === "customer" ? sample.staff(["CUSTOMER_MANAGER"]) : sample.officer;
        await using visit = await open(sample, { as, colorScheme, viewport: SIZE });
        await visit.page.goto(path, { waitUntil: "load" });
        await visit.page.screenshot({ path: new URL(`${name}-${colorScheme}.png`, FOLDER).pathname });
      }
    }
  }
  const readme = await Deno.readTextFile(new URL("../../README.md", FOLDER));
  for (
    const name of ["overview", "request", "customer"].flatMap((page) =>
      COLORS.map((color) => `${page}-${color}.png`)
    )
  ) {
    const image = await Deno.readFile(new URL(name, FOLDER));
    assert.ok(image.byteLength <= MAX_BYTES, `${name} has ${image.byteLength} bytes`);
    const { buffer, byteOffset } = image;
    const header = new DataView(buffer, byteOffset + 16, 8); // the position of the size in a PNG
    assert.deepEqual([header.getUint32(0), header.getUint32(4)], [SIZE.width, SIZE.height], name);
    assert.ok(readme.includes(`docs/images/${name}`), name);
  }
});
