/** Static assets of the inspector (stylesheets, scripts, icon), served from its own origin. */
import { Hono } from "@hono/hono";
import { etag } from "@hono/hono/etag";

const SCRIPT = "text/javascript; charset=utf-8";

const ASSETS: Readonly<Record<string, { file: URL; type: string }>> = {
  "chart.css": { file: new URL("./chart/chart.css", import.meta.url), type: "text/css; charset=utf-8" },
  "customer.css": {
    file: new URL("./customer/customer.css", import.meta.url),
    type: "text/css; charset=utf-8",
  },
  "inspect.css": { file: new URL("./inspect.css", import.meta.url), type: "text/css; charset=utf-8" },
  "idiomorph.js": {
    file: new URL("../vendor/idiomorph/dist/idiomorph.esm.js", import.meta.url),
    type: SCRIPT,
  },
  "inspect.js": { file: new URL("./script/inspect.js", import.meta.url), type: SCRIPT },
  "live.js": { file: new URL("./script/live.js", import.meta.url), type: SCRIPT },
  "view.js": { file: new URL("./script/view.js", import.meta.url), type: SCRIPT },
  "overview.css": {
    file: new URL("./overview/overview.css", import.meta.url),
    type: "text/css; charset=utf-8",
  },
  "print.css": { file: new URL("./print.css", import.meta.url), type: "text/css; charset=utf-8" },
  "request.css": { file: new URL("./request/request.css", import.meta.url), type: "text/css; charset=utf-8" },
  "search.css": { file: new URL("./search/search.css", import.meta.url), type: "text/css; charset=utf-8" },
  "settings.css": {
    file: new URL("./settings/settings.css", import.meta.url),
    type: "text/css; charset=utf-8",
  },
  "timeline.css": {
    file: new URL("./timeline/timeline.css", import.meta.url),
    type: "text/css; charset=utf-8",
  },
  "icon.svg": { file: new URL("./icon.svg", import.meta.url), type: "image/svg+xml" },
};

/** Keeps each asset in memory once it was requested. */
export function createAssets(): Hono {
  const texts = new Map<string, string>();
  return new Hono().use(etag()).get("/:name", async (c) => {
    const name = c.req.param("name");
    const asset = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
    if (!asset) return c.notFound();
    const text = texts.get(name) ?? await Deno.readTextFile(asset.file);
    texts.set(name, text);
    return c.body(text, 200, { "content-type": asset.type, "cache-control": "no-cache" });
  });
}
