/** Network address of the client, as limits count it. */
import type { Context } from "@hono/hono";

/**
 * @param proxies proxies of ours in front, each of which appends to X-Forwarded-For; with 0 the header is not believed
 * @returns an IPv4 address, the first 64 bits of an IPv6 address, or "unknown"
 */
export function addressOf(c: Context, proxies: number): string {
  const forwarded = c.req.header("x-forwarded-for")?.split(",").map((address) => address.trim()) ?? [];
  const seen = proxies > 0 ? forwarded.at(-proxies) ?? forwarded[0] : undefined;
  return networkOf(seen ?? remoteAddress(c) ?? "unknown");
}

function remoteAddress({ env }: Context): string | undefined {
  return (env as Partial<Deno.ServeHandlerInfo<Deno.NetAddr>> | undefined)?.remoteAddr?.hostname;
}

/** An IPv4 address as a socket for both families or a proxy that adds the port writes it. */
const IPV4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/i;

/** A client with an IPv6 address has the other addresses of its /64 as well. */
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
