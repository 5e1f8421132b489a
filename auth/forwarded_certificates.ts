/**
 * Parser of the header x-forwarded-client-cert, in which each proxy of a mesh adds the certificate that it received:
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
 */

/** The entry of one proxy. Keys are in lower case, in their order, and may repeat. */
export type ForwardedCertificate = readonly (readonly [key: string, value: string])[];

/** One `key=value` and its separator. The value is quoted where it would be ambiguous. */
const PAIR = /\s*([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;=]*))(;|,|$)/y;

/** Entries of all proxies, the nearest one last; undefined if any part of the header is malformed. */
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
