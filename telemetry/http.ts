/** HTTP as telemetry sees it: by route, and without the URLs that carry tokens and personal values. */
import { trace } from "@opentelemetry/api";
import type { MiddlewareHandler } from "@hono/hono";
import { matchedRoutes } from "@hono/hono/route";
import { metering, record, secondsSince } from "./metrics.ts";
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

/** Any other is whatever a client makes up. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * Says which route has answered: in the span's name and its `http.route`, and in a metric of our own, since Deno's has
 * the route of requests alone whose span is sampled.
 */
export function nameRoutes(): MiddlewareHandler {
  if (!tracing && !metering) return (_, next) => next();
  return async (c, next) => {
    const started = performance.now();
    await next();
    const route = matchedRoutes(c).map(({ path }) => path).findLast((path) => !path.endsWith("*"));
    const named = route === undefined ? {} : { "http.route": route };
    record("customer_service.http.request.duration", secondsSince(started), {
      "http.request.method": METHODS.has(c.req.method) ? c.req.method : "_OTHER",
      "http.response.status_code": c.res.status,
      ...named,
    });
    if (route !== undefined) {
      trace.getActiveSpan()?.updateName(`${c.req.method} ${route}`).setAttributes(named);
    }
  };
}
