/** Rate limits for each principal and each IP address, and the limit on the size of a body. */
import type { MiddlewareHandler } from "@hono/hono";
import { createMiddleware } from "@hono/hono/factory";
import { DomainError } from "../domain/errors.ts";
import type { Principal } from "../domain/principal.ts";
import { addressOf } from "../http/address.ts";
import type { BodyReader } from "../http/body_reader.ts";
import type { Quota, RateLimit } from "../db/rate_limits.ts";
import type { ApiContext, ApiEnv } from "./api.ts";
import { keyedHash } from "./keyed_hash.ts";
import { checkBody, checkQuery } from "./request_form.ts";

export interface Limits {
  /** Undefined: no limit. */
  perPrincipal: RateLimit | undefined;
  perAddress: RateLimit | undefined;
  /** HMAC-SHA-256 key. Counters store keyed hashes of addresses and IDs; cursors contain a keyed hash of the filter. */
  hashKey: CryptoKey;
  /** Number of trusted proxies that append to X-Forwarded-For. */
  proxies: number;
}

/** Maximum size of a JSON body in bytes, inflated. Streams have their own limits. */
export const BODY_LIMIT = 100 * 1024;
const STREAMED_PATH = "/customers/bulk";

/** Requests without a valid token are counted before their store is known. */
const NO_STORE = "00000000-0000-0000-0000-000000000000";

/**
 * Counts a request without a valid token against its IP address, which limits the guessing of tokens. A request with a
 * valid token counts against its principal only, so that unauthenticated clients of the same address do not lock it out.
 *
 * @throws {DomainError} RATE_LIMITED
 */
export async function limitUnauthenticated(
  c: ApiContext,
  { perAddress, hashKey, proxies }: Limits,
): Promise<void> {
  if (!perAddress) return;
  const key = keyedHash(hashKey, `address ${addressOf(c, proxies)}`);
  refuseOverLimit(c, await perAddress({ storeId: NO_STORE, key }), "this address");
}

/** Middleware that counts requests against their principals. */
export function limitPrincipals(limits: Limits): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    const seconds = await countRequests(limits)(c.var.by, (quota) => describeQuota(c, quota));
    refuseOverLimit(c, seconds, "this principal");
    await next();
  });
}

/**
 * Counts the requests of a principal. REST, GraphQL and the inspector share one limit.
 *
 * @returns a function that resolves with the seconds until the next request is accepted; undefined: this one is
 */
export function countRequests({ perPrincipal, hashKey }: Pick<Limits, "perPrincipal" | "hashKey">) {
  return async (
    { storeId, id, type }: Principal,
    report?: (quota: Quota) => void,
  ): Promise<number | undefined> =>
    await perPrincipal?.({ storeId, key: keyedHash(hashKey, `principal ${type} ${id}`) }, report);
}

/** Sets the headers of draft-ietf-httpapi-ratelimit-headers. */
function describeQuota(c: ApiContext, { requests, windowSeconds, remaining, resetSeconds }: Quota): void {
  c.header("ratelimit-policy", `"principal";q=${requests};w=${windowSeconds}`);
  c.header("ratelimit", `"principal";r=${remaining};t=${resetSeconds}`);
}

/**
 * Middleware that receives the body after the caller has been authorized, and checks the form of the request. Meanwhile
 * the request releases its slot of the concurrency limit.
 */
export function receiveBodies(bodies: BodyReader): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    checkQuery(c);
    if (c.req.path === STREAMED_PATH) return await next();
    const { storeId, type, id } = c.var.by;
    const length = await bodies.receive(c, { maxBytes: BODY_LIMIT, holder: `${type} ${storeId} ${id}` });
    await checkBody(c, length);
    if (length === 0) c.req.raw = withoutContentType(c.req.raw);
    await next();
  });
}

/** Removes the content type of an empty body: many clients always send it, and Hono would parse the body. */
function withoutContentType(request: Request): Request {
  if (!request.headers.has("content-type")) return request;
  const { url, method, signal } = request;
  const headers = new Headers(request.headers);
  headers.delete("content-type");
  return new Request(url, { method, headers, signal });
}

/** @throws {DomainError} RATE_LIMITED */
function refuseOverLimit(c: ApiContext, seconds: number | undefined, client: string): void {
  if (seconds === undefined) return;
  c.header("retry-after", String(seconds));
  throw new DomainError(
    "RATE_LIMITED",
    `Cannot accept more requests from ${client}: try again in ${seconds} s`,
  );
}
