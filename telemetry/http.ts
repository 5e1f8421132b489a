/** HTTP instrumentation: by route, without URLs because they contain tokens and personal values. */
import { trace } from "@opentelemetry/api";
import type { MiddlewareHandler } from "@hono/hono";
import { matchedRoutes } from "@hono/hono/route";
import { integer } from "./integer.ts";
import { isMetering, record, secondsSince } from "./metrics.ts";
import { isTracing } from "./spans.ts";

/** URL attributes that Deno sets on the span of every incoming or outgoing request. */
const URL_ATTRIBUTES = new Set(["url.full", "url.path", "url.query"]);

/**
 * Corrects Deno's spans of requests. Those of `probeMiddleware` are not exported. None has URL attributes: a path may contain
 * an export token, a query may search for a person. Deno has no setting for it, and exports an attribute twice if it is
 * set again, so this replaces methods of its class.
 */
export function patchSpanPrototype(): void {
  if (!isTracing) return;
  const span = trace.getTracer("customer-service").startSpan("never ended, hence never exported");
  const prototype = Object.getPrototypeOf(span) as Pick<typeof span, "setAttribute" | "end">;
  const { setAttribute, end } = prototype;
  prototype.setAttribute = function (this: typeof span, key, value) {
    return URL_ATTRIBUTES.has(key) ? this : setAttribute.call(this, key, value);
  };
  prototype.end = function (this: typeof span, time) {
    if (!unexportedSpans.has(this)) end.call(this, time);
  };
}

/** Spans that are not exported: Deno exports a span when it ends. */
const unexportedSpans = new WeakSet<object>();

/**
 * Middleware that exports no span for a request, for probes, which would outnumber all other requests. Deno starts the
 * span before any code of ours runs, and has no setting for it.
 */
export function probeMiddleware(): MiddlewareHandler {
  if (!isTracing) return (_, next) => next();
  return async (_, next) => {
    const span = trace.getActiveSpan();
    if (span) unexportedSpans.add(span);
    await next();
  };
}

/** Known methods. Clients may send any other text. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * Middleware that records the route in the span's name, in `http.route`, and in a metric of our own, because Deno's
 * metric has the route of sampled requests only.
 */
export function routeMiddleware(): MiddlewareHandler {
  if (!isTracing && !isMetering) return (_, next) => next();
  return async (c, next) => {
    const started = performance.now();
    await next();
    const route = matchedRoutes(c).map(({ path }) => path).findLast((path) => !path.endsWith("*"));
    const routeAttributes = route === undefined ? {} : { "http.route": route };
    record("customer_service.http.request.duration", secondsSince(started), {
      "http.request.method": METHODS.has(c.req.method) ? c.req.method : "_OTHER",
      "http.response.status_code": integer(c.res.status),
      ...routeAttributes,
    });
    if (route !== undefined) {
      trace.getActiveSpan()?.updateName(`${c.req.method} ${route}`).setAttributes(routeAttributes);
    }
  };
}
