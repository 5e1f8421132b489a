/** The Customer API and administration over HTTP, for services and staff. */
import { type Context, Hono, type MiddlewareHandler } from "@hono/hono";
import { createMiddleware } from "@hono/hono/factory";
import { HTTPException } from "@hono/hono/http-exception";
import { methodNotAllowed } from "@hono/hono/method-not-allowed";
import { type Api, type ApiEnv, authenticated, createApi } from "./api.ts";
import { createCustomers } from "./customers/mod.ts";
import { createDocuments } from "./documents/mod.ts";
import { describeApi } from "./documents/openapi.ts";
import { answerOf, brokenOff, type ErrorBody } from "./errors.ts";
import { createGdprRequests } from "./gdpr_requests/mod.ts";
import { createGroups } from "./groups/mod.ts";
import { limitPrincipals, limitStranger, receiveBodies } from "./limits.ts";
import type { RestOptions } from "./options.ts";
import { createStreams } from "./streams.ts";

/** What begins the paths of the API. */
const RESOURCES = ["/customers", "/groups", "/gdpr-requests"];

/** An app to mount at `/`: it answers for its own paths only. */
export function createRest(options: RestOptions): Hono {
  const routes = createRoutes(options);
  return new Hono().route("/", createDocuments(describeApi(routes))).route("/", routes);
}

/** The routes that the API's document describes. */
export function createRoutes(options: RestOptions): Api {
  const api = createApi();
  api.onError((error, c) => {
    if (c.req.raw.signal.aborted) return brokenOff();
    const { status, body, headers } = error instanceof HTTPException ? answerOfHttp(error) : answerOf(error);
    return c.json(body, status, headers);
  });
  const before = [
    uncached,
    authenticated(options.authenticate, (c) => limitStranger(c, options.limits)),
    limitPrincipals(options.limits),
    receiving(options.bodies),
    methodNotAllowed({ app: api, onMethodNotAllowed: answerMethod }),
  ] as const;
  for (const resource of RESOURCES) api.use(`${resource}/*`, ...before); // the resource's own path as well
  return api
    .route("/", createCustomers({ ...options, streams: createStreams() }))
    .route("/", createGroups(options))
    .route("/", createGdprRequests(options));
}

/** Hands `allow` what receives the body of a route. */
function receiving(bodies: RestOptions["bodies"]): MiddlewareHandler<ApiEnv> {
  const receive = receiveBodies(bodies);
  return createMiddleware<ApiEnv>(async (c, next) => {
    c.set("receive", receive);
    await next();
  });
}

/** What stands in an answer is for nobody's cache: it may be personal, and it is the caller's alone. */
const uncached = createMiddleware<ApiEnv>(async (c, next) => {
  await next();
  c.header("cache-control", "no-store");
});

/** What Hono itself refuses: JSON that cannot be read, another content type. */
function answerOfHttp({ status, message }: HTTPException) {
  const reason = message === "Unsupported Media Type" ? "its content-type must be application/json" : message;
  return { status, body: refusalOf(reason), headers: {} };
}

function answerMethod(c: Context, methods: string[]): Response {
  return c.json(refusalOf(`this path takes ${methods.join(", ")}`), 405, { allow: methods.join(", ") });
}

function refusalOf(reason: string): ErrorBody {
  return { code: "INVALID_INPUT", message: `Cannot take the request: ${reason}` };
}
