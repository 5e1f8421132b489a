/** Rules for header lists, RFC 9113 section 8: a message that breaks one is malformed. */
import type { HeaderList } from "../hpack/mod.ts";

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Control characters, but for a tab. Blanks at either end are let through, as other servers do. */
// deno-lint-ignore no-control-regex -- those are what it refuses
const FORBIDDEN_IN_VALUE = /[\0-\x08\x0a-\x1f\x7f]/;
const CONNECTION_SPECIFIC = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Head of a request, checked. */
export interface RequestHead {
  method: string;
  path: string;
  /** Undefined when the client has not declared it. */
  contentLength: number | undefined;
}

/** @returns the head, or what is wrong */
export function checkRequest(list: HeaderList): RequestHead | string {
  let method: string | undefined, path: string | undefined, scheme: string | undefined;
  let authority: string | undefined;
  let at = 0;
  for (; at < list.length && list[at]!.charCodeAt(0) === COLON; at += 2) {
    const value = list[at + 1]!;
    switch (list[at]) {
      case ":method":
        if (method !== undefined) return "two :method";
        method = value;
        break;
      case ":path":
        if (path !== undefined) return "two :path";
        path = value;
        break;
      case ":scheme":
        if (scheme !== undefined) return "two :scheme";
        scheme = value;
        break;
      case ":authority":
        if (authority !== undefined) return "two :authority";
        authority = value;
        break;
      default:
        return "an unknown pseudo-header";
    }
  }
  if (!method || !path || !scheme) return "a pseudo-header is missing";
  const wrong = checkFields(list, at);
  if (wrong !== undefined) return wrong;
  const contentLength = readContentLength(list, at);
  if (contentLength === false) return "content-length is not a number";
  return { method, path, contentLength };
}

/** Status of a response, or what is wrong. */
export function checkResponse(list: HeaderList): number | string {
  if (list[0] !== ":status") return ":status is missing";
  const status = /^[1-5]\d\d$/.test(list[1]!) ? Number(list[1]) : undefined;
  if (status === undefined) return ":status is not a status";
  return checkFields(list, 2) ?? status;
}

/** @returns what is wrong with trailers */
export function checkTrailers(list: HeaderList): string | undefined {
  return checkFields(list, 0);
}

const COLON = 0x3a;

function checkFields(list: HeaderList, from: number): string | undefined {
  for (let at = from; at < list.length; at += 2) {
    const name = list[at]!;
    const value = list[at + 1]!;
    if (!NAME.test(name)) return name.charCodeAt(0) === COLON ? "a misplaced pseudo-header" : "a wrong name";
    if (FORBIDDEN_IN_VALUE.test(value)) return "a wrong value";
    if (CONNECTION_SPECIFIC.has(name)) return "a header of HTTP/1";
    if (name === "te" && value !== "trailers") return "te is not trailers";
  }
  return undefined;
}

function readContentLength(list: HeaderList, from: number): number | undefined | false {
  let length: number | undefined;
  for (let at = from; at < list.length; at += 2) {
    if (list[at] !== "content-length") continue;
    if (!/^\d{1,15}$/.test(list[at + 1]!)) return false;
    const value = Number(list[at + 1]);
    if (length !== undefined && length !== value) return false;
    length = value;
  }
  return length;
}
