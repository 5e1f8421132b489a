/** How much anybody may ask: requests a minute for each principal and each address, and the size of a body. */
import type { MiddlewareHandler } from "@hono/hono";
import { bodyLimit } from "@hono/hono/body-limit";
import { getConnInfo } from "@hono/hono/deno";
import { createMiddleware } from "@hono/hono/factory";
import { DomainError } from "../actors/errors.ts";
import type { Principal } from "../actors/principal.ts";
import { arrival } from "../door/body.ts";
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

/** One JSON document. What is streamed has limits of its own. */
export const BODY_LIMIT = 100 * 1024;
const STREAMED = "/customers/bulk";

/** An address is counted before it is known for which store it asks. */
const NO_STORE = "00000000-0000-0000-0000-000000000000";

/** Stands before authentication, so that guessing tokens is limited as well. */
export function limitAddresses(limits: Limits): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    const { perAddress, hashKey, proxies } = limits;
    if (perAddress) {
      const key = await digest(hashKey, `address ${addressOf(c, proxies)}`);
      refuse(c, await perAddress({ storeId: NO_STORE, key }), "this address");
    }
    await next();
  });
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

export function limitBodies(): MiddlewareHandler<ApiEnv> {
  const limited = bodyLimit({
    maxSize: BODY_LIMIT,
    onError: (c) => {
      const message = `Cannot take the request: its body has more than ${BODY_LIMIT} bytes`;
      return c.json({ code: "INVALID_INPUT", message }, 413);
    },
  });
  return createMiddleware<ApiEnv>(async (c, next) => {
    if (c.req.path === STREAMED) return await next();
    return await limited(c, async () => {
      if (!await arrival(c.req.raw)) c.req.raw = untyped(c.req.raw);
      await next();
    });
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

/** Where a request comes from: what the outermost of our own proxies has seen, or the connection's other end. */
function addressOf(c: ApiContext, proxies: number): string {
  const forwarded = c.req.header("x-forwarded-for")?.split(",").map((address) => address.trim()) ?? [];
  const seen = proxies > 0 ? forwarded.at(-proxies) ?? forwarded[0] : undefined;
  return networkOf(seen ?? getConnInfo(c).remote.address ?? "unknown");
}

/** An IPv4 address as a socket for both families or a proxy that adds the port writes it. */
const IPV4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/i;

/** Whoever has an IPv6 address has a whole /64 of them. */
function networkOf(address: string): string {
  const [, ipv4] = address.match(IPV4) ?? [];
  if (ipv4 !== undefined || !address.includes(":")) return ipv4 ?? address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const last = tail === "" ? [] : tail.split(":");
    while (groups.length + last.length < 8) groups.push("0");
    groups.push(...last);
  }
  return groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}
