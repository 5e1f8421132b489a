/** How much anybody may ask: requests a minute for each principal and each address, and the size of a body. */
import type { MiddlewareHandler } from "@hono/hono";
import { createMiddleware } from "@hono/hono/factory";
import { DomainError } from "../domain/errors.ts";
import type { Principal } from "../domain/principal.ts";
import { addressOf } from "../http/address.ts";
import type { BodyReader } from "../http/body_reader.ts";
import type { RateLimit } from "../db/rate_limits.ts";
import type { ApiContext, ApiEnv } from "./api.ts";
import { digest } from "./digest.ts";

export interface Limits {
  /** Undefined: no limit. */
  perPrincipal: RateLimit | undefined;
  perAddress: RateLimit | undefined;
  /** HMAC-SHA-256: addresses and ids are counted under digests of them, and cursors name filters by theirs. */
  hashKey: CryptoKey;
  /** How many proxies of ours add to X-Forwarded-For before a request arrives. */
  proxies: number;
}

/** Bytes of one JSON document. What is streamed has limits of its own. */
export const BODY_LIMIT = 100 * 1024;
const STREAMED = "/customers/bulk";

/** An address is counted before it is known for which store it asks. */
const NO_STORE = "00000000-0000-0000-0000-000000000000";

/**
 * Counts a request without a valid token under its address, so that guessing tokens is limited. A request with one
 * counts under its principal alone: strangers behind the same proxy must not lock it out.
 *
 * @throws {DomainError} RATE_LIMITED
 */
export async function limitStranger(c: ApiContext, { perAddress, hashKey, proxies }: Limits): Promise<void> {
  if (!perAddress) return;
  const key = await digest(hashKey, `address ${addressOf(c, proxies)}`);
  refuse(c, await perAddress({ storeId: NO_STORE, key }), "this address");
}

export function limitPrincipals(limits: Limits): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    refuse(c, await countRequests(limits)(c.var.by), "this principal");
    await next();
  });
}

/**
 * Counts a request of a principal, at whichever edge: the edges share one limit.
 *
 * @returns a function that resolves with the seconds until another request is taken; undefined: this one is
 */
export function countRequests({ perPrincipal, hashKey }: Pick<Limits, "perPrincipal" | "hashKey">) {
  return async ({ storeId, id, type }: Principal): Promise<number | undefined> =>
    await perPrincipal?.({ storeId, key: await digest(hashKey, `principal ${type} ${id}`) });
}

/**
 * Receives the body for the route, once it is known that the caller may call it; a place in flight is given back
 * meanwhile.
 */
export function receiveBodies(bodies: BodyReader): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    if (c.req.path === STREAMED) return await next();
    const { storeId, type, id } = c.var.by;
    const length = await bodies.receive(c, { maxBytes: BODY_LIMIT, holder: `${type} ${storeId} ${id}` });
    if (length === 0) c.req.raw = untyped(c.req.raw);
    await next();
  });
}

/** Many clients say of every request that its body is JSON, and where one is optional none is meant by none. */
function untyped(request: Request): Request {
  if (!request.headers.has("content-type")) return request;
  const { url, method, signal } = request;
  const headers = new Headers(request.headers);
  headers.delete("content-type");
  return new Request(url, { method, headers, signal });
}

/** @throws {DomainError} RATE_LIMITED */
function refuse(c: ApiContext, seconds: number | undefined, who: string): void {
  if (seconds === undefined) return;
  c.header("retry-after", String(seconds));
  throw new DomainError("RATE_LIMITED", `Cannot take more requests from ${who}: try again in ${seconds} s`);
}
