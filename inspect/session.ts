/** Sessions of the inspector: authentication by a bearer token, in the header or in the cookie that sign-in sets. */
import type { Context, MiddlewareHandler } from "@hono/hono";
import { deleteCookie, getCookie, setCookie } from "@hono/hono/cookie";
import { createMiddleware } from "@hono/hono/factory";
import { DomainError, hasCode } from "../domain/errors.ts";
import { uuid } from "../domain/input.ts";
import { type Principal, ROLES } from "../domain/principal.ts";
import type { StoresAuthenticator } from "../auth/principals.ts";
import { InvalidTokenError } from "../auth/refusals.ts";
import { fingerprintOf } from "../auth/token_fingerprint.ts";
import type { RefusalLog } from "../actors/refusal_log.ts";
import type { EndedSessions } from "../db/ended_sessions.ts";
import type { AddressVariables } from "../http/address.ts";
import { newTraceparent, readTraceparent } from "../lib/trace_context.ts";
import type { BodyReader } from "../http/body_reader.ts";

export interface InspectEnv {
  Variables: AddressVariables & {
    /** Authenticated person, in the store that the page shows. */
    by: Principal;
    /** The same person in each store in which they have a role. */
    stores: readonly Principal[];
    /** Store of pages without a `store` parameter. */
    home: string;
    /** CSRF token that forms must contain; undefined if the request is not authenticated by a cookie. */
    csrf: string | undefined;
  };
}

export type InspectContext = Context<InspectEnv>;

const NAME = "customer-service-inspector";
const PATH = "/inspect";
const EIGHT_HOURS_SECONDS = 8 * 60 * 60;
/** Browsers keep cookies of up to 4096 bytes, name and attributes included. */
const MAX_TOKEN_LENGTH = 3_800;

export interface SessionOptions {
  authenticate: StoresAuthenticator;
  bodies: BodyReader;
  /** Rate limit: counts a request and returns the seconds to wait if it is refused, undefined if it is admitted. */
  count?: (by: Principal) => Promise<number | undefined>;
  /** HMAC-SHA-256 key of the CSRF tokens. */
  formKey: CryptoKey;
  /** Whether browsers use TLS: the cookie is then sent over TLS only, and no other host can set it. */
  secure: boolean;
  ended: EndedSessions;
  refusals: RefusalLog;
}

/**
 * Name and path of the session cookie. Browsers accept a `__Host-` cookie only from this host, over TLS and for all
 * paths, so a sibling domain cannot set it. They refuse it over plain HTTP.
 */
function cookieOf(secure: boolean) {
  return secure ? { name: `__Host-${NAME}`, path: "/" } : { name: NAME, path: PATH };
}

/** Value of the session cookie; undefined if an `Authorization` header authenticates the request. */
export function sessionCookie(c: Context, secure: boolean): string | undefined {
  return c.req.header("authorization") === undefined ? getCookie(c, cookieOf(secure).name) : undefined;
}

/**
 * Admits staff with a role in the store; each page requires a right of its own. An unauthenticated page request is
 * redirected to the sign-in form; every other unauthenticated request is refused.
 */
export function signedIn(options: SessionOptions): MiddlewareHandler<InspectEnv> {
  const { count, secure } = options;
  return createMiddleware<InspectEnv>(async (c, next) => {
    const cookie = sessionCookie(c, secure);
    const headers = new Headers(c.req.raw.headers);
    if (cookie) headers.set("authorization", `Bearer ${cookie}`);
    try {
      const { by, stores, home } = await authenticateInspector(options, {
        headers,
        address: c.var.address,
        store: c.req.query("store"),
      });
      c.set("by", by);
      c.set("stores", stores);
      c.set("home", home);
    } catch (error) {
      const isUnauthenticated = hasCode(error, "UNAUTHENTICATED");
      if (!isUnauthenticated || !wantsPage(c)) throw error;
      const { pathname, search } = new URL(c.req.url);
      return c.redirect(`${PATH}/sign-in?to=${encodeURIComponent(`${pathname}${search}`)}`);
    }
    const seconds = await count?.(c.get("by"));
    if (seconds !== undefined) {
      c.header("retry-after", String(seconds));
      throw new DomainError(
        "RATE_LIMITED",
        `Cannot accept more requests from this principal: try again in ${seconds} s`,
      );
    }
    await next();
  });
}

/** Adds the `store` parameter to a path of the inspector if the page shows a store other than the person's own. */
export function inStore({ var: { by, home } }: InspectContext, path: string): string {
  if (by.storeId === home) return path;
  const [address = "", fragment] = path.split("#");
  const search = `${address.includes("?") ? "&" : "?"}store=${by.storeId}`;
  return `${address}${search}${fragment === undefined ? "" : `#${fragment}`}`;
}

/**
 * Starts a session: verifies the token and sets it as a cookie.
 *
 * @throws {DomainError} UNAUTHENTICATED, FORBIDDEN; INVALID_INPUT: the token is malformed or too long for a cookie
 */
export async function signIn(
  c: Context,
  options: SessionOptions,
  token: string,
): Promise<void> {
  if (!/^[\w.~+/-]+=*$/.test(token)) {
    throw new DomainError("INVALID_INPUT", "Cannot sign in: the text is not a token; paste a JWT");
  }
  await authenticateInspector(options, {
    headers: new Headers({ authorization: `Bearer ${token}` }),
    address: c.get("address"),
    store: undefined,
  });
  if (token.length > MAX_TOKEN_LENGTH) {
    throw new DomainError(
      "INVALID_INPUT",
      `Cannot sign in: the token has more than ${MAX_TOKEN_LENGTH} characters, which is too long for a cookie; send it in the Authorization header`,
    );
  }
  const { secure } = options;
  const { name, path } = cookieOf(secure);
  setCookie(c, name, token, {
    path,
    httpOnly: true,
    sameSite: "Strict",
    secure,
    maxAge: EIGHT_HOURS_SECONDS,
  });
}

/** Ends the session of the cookie, if any: the inspector refuses its token from now on. */
export async function signOut(c: InspectContext, { secure, ended }: SessionOptions): Promise<void> {
  const { name, path } = cookieOf(secure);
  const fingerprint = fingerprintOf(getCookie(c, name) ?? "");
  if (fingerprint) {
    await ended.add({ storeId: c.var.home, tokenHash: fingerprint.hash }, fingerprint.expiresAt);
  }
  deleteCookie(c, name, { path, secure });
}

/** @param of `store`: ID from the address; undefined: the principal's own store */
async function authenticateInspector(
  { authenticate, ended, refusals }: SessionOptions,
  { headers, address, store }: { headers: Headers; address: string | undefined; store: string | undefined },
) {
  const principals = await authenticate(headers, address);
  const [own] = principals;
  const home = own.storeId;
  const fingerprint = fingerprintOf(headers.get("authorization")?.replace(/^Bearer +/i, "") ?? "");
  if (fingerprint && await ended.has({ storeId: home, tokenHash: fingerprint.hash })) {
    throw new InvalidTokenError("its session was signed out");
  }
  const wantedId = store === undefined ? home : uuid.safeParse(store).data;
  const by = principals.find(({ storeId }) => storeId === wantedId);
  try {
    if (!by) throw new DomainError("FORBIDDEN", "Cannot use the inspector: you have no role in this store");
    requireRole(by);
  } catch (error) {
    const traceparent = readTraceparent(headers.get("traceparent")) ?? newTraceparent();
    await refusals.report({ by: by ?? own, operation: "inspect", traceparent });
    throw error;
  }
  return { by, stores: principals.filter(({ type, roles }) => type === "STAFF" && roles.length > 0), home };
}

/** @throws {DomainError} FORBIDDEN */
function requireRole({ type, roles }: Principal): void {
  if (type !== "STAFF") {
    throw new DomainError(
      "FORBIDDEN",
      `Cannot use the inspector: only staff may, not a ${type.toLowerCase()}`,
    );
  }
  if (roles.length > 0) return;
  throw new DomainError(
    "FORBIDDEN",
    `Cannot use the inspector: it requires one of the roles ${ROLES.join(", ")}`,
  );
}

function wantsPage(c: Context): boolean {
  return c.req.method === "GET" && (c.req.header("accept") ?? "").includes("text/html");
}
