/** Deno's own spans of HTTP: named by their route, and without the URLs that carry tokens and personal values. */
import { trace } from "@opentelemetry/api";
import type { MiddlewareHandler } from "@hono/hono";
import { matchedRoutes } from "@hono/hono/route";
import { tracing } from "./spans.ts";

/** What Deno writes of a URL into every span of a request, as it comes in or goes out. */
const URL_ATTRIBUTES = new Set(["url.full", "url.path", "url.query"]);

/**
 * Keeps URLs out of spans: a path may be the key to an export, a query may search for a person. Deno offers no
 * setting for it, and an attribute that is set again is exported twice, so it is not let in at all.
 */
export function keepUrlsOut(): void {
  if (!tracing) return;
  const span = trace.getTracer("customer-service").startSpan("never ended, hence never exported");
  const prototype = Object.getPrototypeOf(span) as Pick<typeof span, "setAttribute">;
  const { setAttribute } = prototype;
  prototype.setAttribute = function (this: typeof span, key, value) {
    return URL_ATTRIBUTES.has(key) ? this : setAttribute.call(this, key, value);
  };
}

/** Says which route has answered: in the span's name, its `http.route`, and with that in Deno's metrics. */
export function nameRoutes(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (!tracing) return;
    const route = matchedRoutes(c).map(({ path }) => path).findLast((path) => !path.endsWith("*"));
    const span = trace.getActiveSpan();
    if (route === undefined || !span) return;
    span.updateName(`${c.req.method} ${route}`);
    span.setAttribute("http.route", route);
  };
}
