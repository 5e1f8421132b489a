/** Client network address, the key of per-address limits. */
import type { Context, MiddlewareHandler } from "@hono/hono";

export interface AddressVariables {
  /** Network address of the client; absent where no middleware has set it. */
  address?: string;
}

/** Middleware that sets the client's address for the edges, which charge invalid tokens to it. */
export function identifyAddress(proxies: number): MiddlewareHandler {
  return async (c, next) => {
    c.set("address", addressOf(c, proxies));
    await next();
  };
}

/**
 * @param proxies number of trusted proxies, each of which appends to X-Forwarded-For; with 0 the header is ignored
 * @returns an IPv4 address, the first 64 bits of an IPv6 address, or "unknown"
 */
export function addressOf(c: Context, proxies: number): string {
  const forwarded = c.req.header("x-forwarded-for")?.split(",").map((address) => address.trim()) ?? [];
  const forwardedAddress = proxies > 0 ? forwarded.at(-proxies) ?? forwarded[0] : undefined;
  return networkOf(forwardedAddress ?? remoteAddress(c) ?? "unknown");
}

function remoteAddress({ env }: Context): string | undefined {
  return (env as Partial<Deno.ServeHandlerInfo<Deno.NetAddr>> | undefined)?.remoteAddr?.hostname;
}

/** An IPv4 address, also as a dual-stack socket writes it (`::ffff:`) or with a port that a proxy has added. */
const IPV4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/i;

/** Reduces an IPv6 address to its /64, because one client usually controls all of it. */
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
