/** Base Hono app of all HTTP edges: URL checks, security headers, CORS and the JSON 404. */
import { Hono, type MiddlewareHandler } from "@hono/hono";
import { cors } from "@hono/hono/cors";
import { secureHeaders } from "@hono/hono/secure-headers";
import type { HttpConfig } from "../config/mod.ts";

const HOUR_SECONDS = 3_600;

const INVALID_HOST = {
  code: "INVALID_INPUT",
  message: "Cannot read the request: its Host header does not name a host",
};
/** Bytes of a URL. Valid ones have a few hundred, and query parsers may take quadratic time. */
export const URL_LIMIT = 8 * 1_024;
const URL_TOO_LONG = {
  code: "INVALID_INPUT",
  message: `Cannot read the request: its URL has more than ${URL_LIMIT} bytes`,
};
/** Does not repeat the path, which may contain a token or a personal value. */
const NOT_FOUND = { code: "NOT_FOUND", message: "Cannot find anything under this path" };

/** An app to mount the edges on. Each edge sets its own Content-Security-Policy. */
export function createHttpApp({ corsOrigins }: Pick<HttpConfig, "corsOrigins">): Hono {
  const app = new Hono();
  app.use(async (c, next) => c.req.url.length <= URL_LIMIT ? await next() : c.json(URL_TOO_LONG, 414));
  // Every edge may parse the URL. A later parse error would quote it.
  app.use(async (c, next) => URL.canParse(c.req.url) ? await next() : c.json(INVALID_HOST, 400));
  app.use(secureHeaders({ xFrameOptions: "DENY", crossOriginResourcePolicy: "same-origin" }));
  if (corsOrigins.length > 0) {
    app.use(cors({
      origin: [...corsOrigins],
      allowHeaders: [
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "traceparent",
      ],
      exposeHeaders: ["etag", "link", "location", "retry-after"],
      maxAge: HOUR_SECONDS,
    }));
  }
  return app.notFound((c) => c.json(NOT_FOUND, 404));
}

/** Middleware that sends `Connection: close` with each response once the shutdown has begun. */
export function closeConnections(shutdown: AbortSignal): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (shutdown.aborted) c.header("connection", "close");
  };
}
