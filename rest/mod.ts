/** REST API: the Customer API and administration, for services and staff. */
import { type Context, Hono, type MiddlewareHandler } from "@hono/hono";
import { createMiddleware } from "@hono/hono/factory";
import { HTTPException } from "@hono/hono/http-exception";
import { reportRefusal, withAccess } from "./access.ts";
import { type Api, type ApiEnv, authenticated, createApi } from "./api.ts";
import { refusalBody } from "../http/refusals.ts";
import { createCustomers } from "./customers/mod.ts";
import { createDocuments } from "./documents/mod.ts";
import { describeApi } from "./documents/openapi.ts";
import { clientClosedRequest, respondWithError } from "./errors.ts";
import { createGdprRequests } from "./gdpr_requests/mod.ts";
import { createGroups } from "./groups/mod.ts";
import { limitPrincipals, limitUnauthenticated, receiveBodies } from "./limits.ts";
import type { RestOptions } from "./options.ts";
import { checkMethod } from "./request_form.ts";
import { createRouteTable, type Resource } from "./route_table.ts";
import { createStoreSettings } from "./store_settings.ts";
import { createStreamQuota } from "./stream_quota.ts";

/** Path prefixes of the API. */
const RESOURCES = ["/customers", "/groups", "/gdpr-requests", "/store-settings"];

/** Creates an app to mount at `/`. It handles its own paths only. */
export function createRest(options: RestOptions): Hono {
  const routes = createRoutes(options);
  return new Hono().route("/", createDocuments(describeApi(routes), options.demoToken)).route("/", routes);
}

/** Creates the routes that the OpenAPI document describes. */
export function createRoutes(options: RestOptions): Api {
  const api = createApi();
  api.onError(async (error, c) => {
    await reportRefusal(c, options.refusals, error);
    if (c.req.raw.signal.aborted) return clientClosedRequest();
    return error instanceof HTTPException ? respondWithHttpError(c, error) : respondWithError(c, error);
  });
  let find: ((path: string) => Resource | undefined) | undefined; // created once all routes are registered
  const middleware = [
    cachePolicy,
    withAccess(options),
    authenticated(options.authenticate, (c) => limitUnauthenticated(c, options.limits)),
    limitPrincipals(options.limits),
    checkMethod((path) => (find ??= createRouteTable(api))(path)),
    receiving(options.bodies),
  ] as const;
  for (const resource of RESOURCES) api.use(`${resource}/*`, ...middleware); // also matches the resource's own path
  return api
    .route("/", createCustomers({ ...options, streams: createStreamQuota() }))
    .route("/", createGroups(options))
    .route("/", createGdprRequests(options))
    .route("/", createStoreSettings(options));
}

/** Sets the middleware that receives the body, for `allow` to run. */
function receiving(bodies: RestOptions["bodies"]): MiddlewareHandler<ApiEnv> {
  const receive = receiveBodies(bodies);
  return createMiddleware<ApiEnv>(async (c, next) => {
    c.set("receive", receive);
    await next();
  });
}

/**
 * Keeps responses out of caches, because they contain personal data and are for the caller only. A response with an
 * ETag may be kept by the caller alone, which has to revalidate it each time: its rights and the store are checked again,
 * and the body is not sent again. It varies with the credentials, because the same path names customers of several stores.
 */
const cachePolicy = createMiddleware<ApiEnv>(async (c, next) => {
  await next();
  const isRevalidated = ["GET", "HEAD"].includes(c.req.method) && c.res.headers.has("etag");
  c.header("cache-control", isRevalidated ? "private, no-cache" : "no-store");
  if (isRevalidated) c.header("vary", "authorization, cookie", { append: true });
});

/** Responds to requests that Hono itself refuses: malformed JSON, or another content type. */
function respondWithHttpError(c: Context, { status, message }: HTTPException): Response {
  const reason = message === "Unsupported Media Type" ? "its content-type must be application/json" : message;
  return c.json(refusalBody(c, "INVALID_INPUT", `Cannot accept the request: ${reason}`), status);
}
