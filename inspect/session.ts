/** Who looks at a page: a bearer token, or the same token in a cookie that signing in has set. */
import type { Context, MiddlewareHandler } from "@hono/hono";
import { deleteCookie, getCookie, setCookie } from "@hono/hono/cookie";
import { createMiddleware } from "@hono/hono/factory";
import { authorizeStaff } from "../actors/authority.ts";
import { DomainError } from "../actors/errors.ts";
import type { Principal } from "../actors/principal.ts";
import type { Authenticator } from "../auth/principals.ts";

export interface InspectEnv {
  Variables: {
    by: Principal;
    /** What a form has to bring along; undefined where no cookie speaks for the browser. */
    csrf: string | undefined;
  };
}

export type InspectContext = Context<InspectEnv>;

const COOKIE = "customer-service-inspector";
const PATH = "/inspect";
const EIGHT_HOURS_SECONDS = 8 * 60 * 60;
/** Browsers keep cookies of up to 4096 bytes, name and attributes included. */
const LONGEST = 3_800;

export interface SessionOptions {
  authenticate: Authenticator;
  /** HMAC-SHA-256: makes the tokens that forms bring along. */
  formKey: CryptoKey;
  /** The cookie goes over TLS only. */
  secure: boolean;
}

/**
 * Lets in who answers for the store's data subjects. Who is not signed in is sent to the form and back; a request
 * that is not for a page is refused.
 */
export function signedIn({ authenticate, formKey }: SessionOptions): MiddlewareHandler<InspectEnv> {
  return createMiddleware<InspectEnv>(async (c, next) => {
    const cookie = c.req.header("authorization") === undefined ? getCookie(c, COOKIE) : undefined;
    const headers = new Headers(c.req.raw.headers);
    if (cookie) headers.set("authorization", `Bearer ${cookie}`);
    try {
      c.set("by", await admitted(authenticate, headers));
    } catch (error) {
      const stranger = error instanceof DomainError && error.code === "UNAUTHENTICATED";
      if (!stranger || !wantsPage(c)) throw error;
      const { pathname, search } = new URL(c.req.url);
      return c.redirect(`${PATH}/sign-in?to=${encodeURIComponent(`${pathname}${search}`)}`);
    }
    c.set("csrf", cookie && await csrfToken(formKey, cookie));
    if (c.req.method === "POST" && cookie) await requireCsrf(c, c.get("csrf"));
    await next();
  });
}

/**
 * Signs a browser in with a token.
 *
 * @throws {DomainError} UNAUTHENTICATED, FORBIDDEN; INVALID_INPUT where the token does not fit into a cookie
 */
export async function signIn(
  c: Context,
  { authenticate, secure }: SessionOptions,
  token: string,
): Promise<void> {
  if (!/^[\w.~+/-]+=*$/.test(token)) {
    throw new DomainError("INVALID_INPUT", "Cannot sign in: this is not a token");
  }
  await admitted(authenticate, new Headers({ authorization: `Bearer ${token}` }));
  if (token.length > LONGEST) {
    throw new DomainError(
      "INVALID_INPUT",
      `Cannot sign in: the token has more than ${LONGEST} characters, which no cookie holds; send it as a header`,
    );
  }
  setCookie(c, COOKIE, token, {
    path: PATH,
    httpOnly: true,
    sameSite: "Strict",
    secure,
    maxAge: EIGHT_HOURS_SECONDS,
  });
}

export function signOut(c: Context, { secure }: SessionOptions): void {
  deleteCookie(c, COOKIE, { path: PATH, secure });
}

async function admitted(authenticate: Authenticator, headers: Headers): Promise<Principal> {
  const by = await authenticate(headers);
  if (by.type !== "STAFF") {
    throw new DomainError("FORBIDDEN", `Cannot inspect requests: it is not for a ${by.type.toLowerCase()}`);
  }
  authorizeStaff("inspect requests", ["PRIVACY_OFFICER"], by);
  return by;
}

function wantsPage(c: Context): boolean {
  return c.req.method === "GET" && (c.req.header("accept") ?? "").includes("text/html");
}

/** Tied to the session: what another session was given is of no use here. */
async function csrfToken(formKey: CryptoKey, cookie: string): Promise<string> {
  const text = new TextEncoder().encode(`inspector form ${cookie}`);
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", formKey, text));
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

async function requireCsrf(c: InspectContext, expected: string | undefined): Promise<void> {
  const { csrf } = await c.req.parseBody();
  if (expected === undefined || csrf !== expected) {
    throw new DomainError("FORBIDDEN", "Cannot take the form: it is of another session; load the page again");
  }
}
