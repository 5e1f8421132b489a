/** What every HTTP answer says to the browser that may receive it, whichever edge gives it. */
import { Hono, type MiddlewareHandler } from "@hono/hono";
import { cors } from "@hono/hono/cors";
import { secureHeaders } from "@hono/hono/secure-headers";
import type { DoorConfig } from "../config/mod.ts";

const HOUR_SECONDS = 3_600;

const NOWHERE = { code: "INVALID_INPUT", message: "Cannot take the request: its Host header names no host" };
/** Bytes of a URL. Ours have a few hundred, and what reads a query may take time quadratic in its length. */
export const URL_LIMIT = 8 * 1_024;
const TOO_LONG = {
  code: "INVALID_INPUT",
  message: `Cannot take the request: its URL has more than ${URL_LIMIT} bytes`,
};
/** In the form of every other error; a path may hold what must not be repeated. */
const NOT_FOUND = { code: "NOT_FOUND", message: "Cannot find anything under this path" };

/** An app to mount the edges at. Which contents a page may have is for its edge to say. */
export function createDoor({ corsOrigins }: Pick<DoorConfig, "corsOrigins">): Hono {
  const app = new Hono();
  app.use(async (c, next) => c.req.url.length <= URL_LIMIT ? await next() : c.json(TOO_LONG, 414));
  // Every edge may rely on the URL, and what cannot make one of it quotes it.
  app.use(async (c, next) => URL.canParse(c.req.url) ? await next() : c.json(NOWHERE, 400));
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

/** From `ending` on, clients that keep their connections are told to let go of them with each answer. */
export function letGo(ending: AbortSignal): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (ending.aborted) c.header("connection", "close");
  };
}
