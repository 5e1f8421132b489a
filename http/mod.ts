/** Base Hono app of all HTTP edges: URL checks, security headers, CORS, the JSON 404, and 405 for other methods. */
import { type Context, Hono, type MiddlewareHandler } from "@hono/hono";
import { cors } from "@hono/hono/cors";
import { secureHeaders } from "@hono/hono/secure-headers";
import type { HttpConfig } from "../config/mod.ts";
import { answerHead } from "./head.ts";
import { refusalBody } from "./refusals.ts";

const HOUR_SECONDS = 3_600;

/** Bytes of a URL. Valid ones have a few hundred, and query parsers may take quadratic time. */
export const URL_LIMIT = 8 * 1_024;

/** Request headers that pages of other origins may send. The last four are those of traces: W3C and Sentry. */
const REQUEST_HEADERS = [
  ...["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"],
  ...["traceparent", "tracestate", "baggage", "sentry-trace"],
];
/** Response headers that pages of other origins may read, in addition to those that every page may read. */
const RESPONSE_HEADERS = [
  ...["accept-encoding", "allow", "content-disposition", "etag", "link", "location"],
  ...["ratelimit", "ratelimit-policy", "retry-after", "www-authenticate"],
];

/** An app to mount the edges on. Each edge sets its own Content-Security-Policy. */
export function createHttpApp({ corsOrigins }: Pick<HttpConfig, "corsOrigins">): Hono {
  const app = new Hono();
  answerHead(app);
  app.use(checkUrl);
  app.use(secureHeaders({ xFrameOptions: "DENY", crossOriginResourcePolicy: "same-origin" }));
  if (corsOrigins.length > 0) app.use(allowOrigins(corsOrigins));
  // Does not repeat the path, which may contain a token or a personal value.
  return app.notFound((c) => {
    const methods = methodsOf(app, c.req.path);
    if (methods.length === 0 || methods.includes(c.req.method)) {
      return c.json(refusalBody(c, "NOT_FOUND", "Cannot find anything under this path"), 404);
    }
    const allow = [...methods, "OPTIONS"].join(", ");
    if (c.req.method === "OPTIONS") return c.body(null, 204, { allow });
    return refuseMethod(c, allow);
  });
}

/** Response to a method that a path does not have. */
export function refuseMethod(c: Context, allow: string): Response {
  const message = `Cannot accept the request: this path accepts ${allow}`;
  return c.json(refusalBody(c, "INVALID_INPUT", message), 405, { allow });
}

/** Methods for which a path has a handler of its own; middleware is for all methods. */
function methodsOf(app: Hono, path: string): string[] {
  const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"].filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method)
  );
  return methods.flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method]);
}

/** Refuses a URL that is too long or ambiguous, before anything parses it. A later parse error would quote it. */
const checkUrl: MiddlewareHandler = async (c, next) => {
  const { url } = c.req;
  if (url.length > URL_LIMIT) return refuse(c, `its URL has more than ${URL_LIMIT} bytes`, 414);
  if (!URL.canParse(url)) return refuse(c, "its Host header does not name a host", 400);
  if (!isDecodable(url)) {
    return refuse(c, "its URL must be percent-encoded UTF-8: %25 for a percent sign", 400);
  }
  return await next();
};

function refuse(c: Context, reason: string, status: 400 | 414): Response {
  return c.json(refusalBody(c, "INVALID_INPUT", `Cannot read the request: ${reason}`), status);
}

function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

function allowOrigins(origins: readonly string[]): MiddlewareHandler {
  const allow = cors({
    origin: [...origins],
    allowHeaders: REQUEST_HEADERS,
    exposeHeaders: RESPONSE_HEADERS,
    maxAge: HOUR_SECONDS,
  });
  return async (c, next) => {
    // Hono takes every OPTIONS request for a preflight.
    const isOptions = c.req.method === "OPTIONS" && !c.req.header("access-control-request-method");
    return isOptions ? await next() : await allow(c, next);
  };
}

/** Middleware that sends `Connection: close` with each response once the shutdown has begun. */
export function closeConnections(shutdown: AbortSignal): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (shutdown.aborted) c.header("connection", "close");
  };
}
