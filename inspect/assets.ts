/** The style, the script and the icon of the pages, from our own files. */
import { Hono } from "@hono/hono";
import { etag } from "@hono/hono/etag";

const ASSETS: Readonly<Record<string, { file: string; type: string }>> = {
  "chart.css": { file: "./chart/chart.css", type: "text/css; charset=utf-8" },
  "inspect.css": { file: "./inspect.css", type: "text/css; charset=utf-8" },
  "inspect.js": { file: "./inspect.js", type: "text/javascript; charset=utf-8" },
  "overview.css": { file: "./overview/overview.css", type: "text/css; charset=utf-8" },
  "request.css": { file: "./request/request.css", type: "text/css; charset=utf-8" },
  "timeline.css": { file: "./timeline/timeline.css", type: "text/css; charset=utf-8" },
  "icon.svg": { file: "./icon.svg", type: "image/svg+xml" },
};

export function createAssets(): Hono {
  return new Hono().use(etag()).get("/:name", async (c) => {
    const name = c.req.param("name");
    const asset = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
    if (!asset) return c.notFound();
    const text = await Deno.readTextFile(new URL(asset.file, import.meta.url));
    return c.body(text, 200, { "content-type": asset.type, "cache-control": "no-cache" });
  });
}
