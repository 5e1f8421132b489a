/** `server.address` and `server.port`, as the conventions require of client spans. */
import type { Attributes } from "@opentelemetry/api";
import { integer } from "./integer.ts";

/** @param address "host:port" or "[::1]:port"; anything else has no attributes */
export function serverAttributes(address: string): Attributes {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(address) ?? [];
  return host === undefined ? {} : { "server.address": host, "server.port": integer(Number(port)) };
}

/** @param url of a server; a missing port is that of its protocol */
export function serverAttributesOf({ protocol, hostname, port }: URL): Attributes {
  return serverAttributes(`${hostname}:${port || (protocol === "http:" ? 80 : 443)}`);
}
