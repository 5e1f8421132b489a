/** Headers of downloads by link. */
import type { MiddlewareHandler } from "@hono/hono";

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Middleware that prevents caching, MIME sniffing, framing, and requests from the page. */
export const downloadHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(HEADERS)) {
    if (!c.res.headers.has(name)) c.header(name, value); // a page allows its own style
  }
};
