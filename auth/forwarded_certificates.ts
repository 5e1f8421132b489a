/**
 * The header x-forwarded-client-cert, in which each proxy of a mesh says whose certificate it has seen:
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
 */

/** What one proxy says: keys in lower case, in their order, some of them several times. */
export type ForwardedCertificate = readonly (readonly [key: string, value: string])[];

/** One `key=value`, the value quoted where it would be ambiguous, and what follows it. */
const PAIR = /\s*([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;=]*))(;|,|$)/y;

/** The proxies' words, the nearest proxy's last; undefined when any part of the header is malformed. */
export function parseForwardedCertificates(header: string): ForwardedCertificate[] | undefined {
  const chain: [string, string][][] = [[]];
  PAIR.lastIndex = 0;
  while (true) {
    const match = PAIR.exec(header);
    if (!match) return undefined;
    const [, key = "", quoted, plain = "", end] = match;
    chain.at(-1)?.push([key.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? plain]);
    if (end === "") return chain;
    if (end === ",") chain.push([]);
  }
}
