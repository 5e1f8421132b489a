/** Who looks at a page: a bearer token, or the same token in a cookie that signing in has set. */
import type { Context, MiddlewareHandler } from "@hono/hono";
import { deleteCookie, getCookie, setCookie } from "@hono/hono/cookie";
import { createMiddleware } from "@hono/hono/factory";
import { authorizeStaff } from "../domain/authorization.ts";
import { DomainError, hasCode } from "../domain/errors.ts";
import { uuid } from "../domain/input.ts";
import type { Principal } from "../domain/principal.ts";
import type { StoresAuthenticator } from "../auth/principals.ts";
import { InvalidTokenError } from "../auth/refusals.ts";
import { fingerprintOf } from "../auth/token_fingerprint.ts";
import type { RefusalLog } from "../actors/refusal_log.ts";
import type { EndedSessions } from "../db/ended_sessions.ts";
import { newTraceparent, readTraceparent } from "../lib/trace_context.ts";
import type { BodyReader } from "../http/body_reader.ts";

export interface InspectEnv {
  Variables: {
    /** In the store that the page is about. */
    by: Principal;
    /** The same person in each store whose requests they may inspect. */
    stores: readonly Principal[];
    /** The store of pages that name none. */
    home: string;
    /** What a form has to bring along; undefined where no cookie speaks for the browser. */
    csrf: string | undefined;
  };
}

export type InspectContext = Context<InspectEnv>;

const NAME = "customer-service-inspector";
const PATH = "/inspect";
const EIGHT_HOURS_SECONDS = 8 * 60 * 60;
/** Browsers keep cookies of up to 4096 bytes, name and attributes included. */
const LONGEST = 3_800;

export interface SessionOptions {
  authenticate: StoresAuthenticator;
  bodies: BodyReader;
  /** Counts a request of the principal: the seconds until another one is taken; undefined: this one is. */
  count?: (by: Principal) => Promise<number | undefined>;
  /** HMAC-SHA-256: makes the tokens that forms bring along. */
  formKey: CryptoKey;
  /** Browsers reach the inspector over TLS: the cookie goes over TLS only, and no other host can set it. */
  secure: boolean;
  ended: EndedSessions;
  refusals: RefusalLog;
}

/**
 * The session's cookie. Browsers accept a `__Host-` name only from this very host, over TLS and for every path, so that
 * no sibling domain can plant one; over plain HTTP they do not accept it at all.
 */
function cookieOf(secure: boolean) {
  return secure ? { name: `__Host-${NAME}`, path: "/" } : { name: NAME, path: PATH };
}

/** The session's cookie as a browser sends it; undefined where a header authenticates the request. */
export function sessionCookie(c: Context, secure: boolean): string | undefined {
  return c.req.header("authorization") === undefined ? getCookie(c, cookieOf(secure).name) : undefined;
}

/**
 * Lets in who answers for the store's data subjects. Who is not signed in is sent to the form and back; a request
 * that is not for a page is refused.
 */
export function signedIn(options: SessionOptions): MiddlewareHandler<InspectEnv> {
  const { count, secure } = options;
  return createMiddleware<InspectEnv>(async (c, next) => {
    const cookie = sessionCookie(c, secure);
    const headers = new Headers(c.req.raw.headers);
    if (cookie) headers.set("authorization", `Bearer ${cookie}`);
    try {
      const { by, stores, home } = await admitted(options, headers, c.req.query("store"));
      c.set("by", by);
      c.set("stores", stores);
      c.set("home", home);
    } catch (error) {
      const stranger = hasCode(error, "UNAUTHENTICATED");
      if (!stranger || !wantsPage(c)) throw error;
      const { pathname, search } = new URL(c.req.url);
      return c.redirect(`${PATH}/sign-in?to=${encodeURIComponent(`${pathname}${search}`)}`);
    }
    const seconds = await count?.(c.get("by"));
    if (seconds !== undefined) {
      c.header("retry-after", String(seconds));
      throw new DomainError(
        "RATE_LIMITED",
        `Cannot take more requests from this principal: try again in ${seconds} s`,
      );
    }
    await next();
  });
}

/** A path of ours, in the store that the page is about: what every link, form and live path of a page goes through. */
export function inStore({ var: { by, home } }: InspectContext, path: string): string {
  if (by.storeId === home) return path;
  const [address = "", place] = path.split("#");
  const search = `${address.includes("?") ? "&" : "?"}store=${by.storeId}`;
  return `${address}${search}${place === undefined ? "" : `#${place}`}`;
}

/**
 * Signs a browser in with a token.
 *
 * @throws {DomainError} UNAUTHENTICATED, FORBIDDEN; INVALID_INPUT where the token does not fit into a cookie
 */
export async function signIn(
  c: Context,
  options: SessionOptions,
  token: string,
): Promise<void> {
  if (!/^[\w.~+/-]+=*$/.test(token)) {
    throw new DomainError("INVALID_INPUT", "Cannot sign in: this is not a token");
  }
  await admitted(options, new Headers({ authorization: `Bearer ${token}` }), undefined);
  if (token.length > LONGEST) {
    throw new DomainError(
      "INVALID_INPUT",
      `Cannot sign in: the token has more than ${LONGEST} characters, which no cookie holds; send it as a header`,
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

/** Ends the session of the cookie, if there is one: from now on its token is refused here, whoever sends it. */
export async function signOut(c: InspectContext, { secure, ended }: SessionOptions): Promise<void> {
  const { name, path } = cookieOf(secure);
  const mark = fingerprintOf(getCookie(c, name) ?? "");
  if (mark) await ended.add({ storeId: c.var.home, tokenHash: mark.hash }, mark.expiresAt);
  deleteCookie(c, name, { path, secure });
}

/** @param store whose requests the page is about; the one that the principal acts for when it is undefined */
async function admitted(
  { authenticate, ended, refusals }: SessionOptions,
  headers: Headers,
  store: string | undefined,
) {
  const principals = await authenticate(headers);
  const [own] = principals;
  const home = own.storeId;
  const mark = fingerprintOf(headers.get("authorization")?.replace(/^Bearer +/i, "") ?? "");
  if (mark && await ended.has({ storeId: home, tokenHash: mark.hash })) {
    throw new InvalidTokenError("its session was signed out");
  }
  const wanted = store === undefined ? home : uuid.safeParse(store).data;
  const by = principals.find(({ storeId }) => storeId === wanted);
  try {
    if (!by) throw new DomainError("FORBIDDEN", "Cannot inspect requests: you have no role in this store");
    requireInspector(by);
  } catch (error) {
    const traceparent = readTraceparent(headers.get("traceparent")) ?? newTraceparent();
    await refusals.report({ by: by ?? own, operation: "inspect", traceparent });
    throw error;
  }
  return { by, stores: principals.filter(mayInspect), home };
}

/** @throws {DomainError} FORBIDDEN */
function requireInspector(by: Principal): void {
  if (by.type !== "STAFF") {
    throw new DomainError("FORBIDDEN", `Cannot inspect requests: it is not for a ${by.type.toLowerCase()}`);
  }
  authorizeStaff("inspect requests", ["PRIVACY_OFFICER"], by);
}

function mayInspect(by: Principal): boolean {
  try {
    requireInspector(by);
    return true;
  } catch {
    return false;
  }
}

function wantsPage(c: Context): boolean {
  return c.req.method === "GET" && (c.req.header("accept") ?? "").includes("text/html");
}
