/** Who looks at a page: a bearer token, or the same token in a cookie that signing in has set. */
import type { Context, MiddlewareHandler } from "@hono/hono";
import { deleteCookie, getCookie, setCookie } from "@hono/hono/cookie";
import { createMiddleware } from "@hono/hono/factory";
import { authorizeStaff } from "../actors/authority.ts";
import { DomainError } from "../actors/errors.ts";
import { uuid } from "../actors/input.ts";
import type { Principal } from "../actors/principal.ts";
import type { StoresAuthenticator } from "../auth/principals.ts";

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

const COOKIE = "customer-service-inspector";
const PATH = "/inspect";
const EIGHT_HOURS_SECONDS = 8 * 60 * 60;
/** Browsers keep cookies of up to 4096 bytes, name and attributes included. */
const LONGEST = 3_800;

export interface SessionOptions {
  authenticate: StoresAuthenticator;
  /** Counts a request of the principal: the seconds until another one is taken; undefined: this one is. */
  count?: (by: Principal) => Promise<number | undefined>;
  /** HMAC-SHA-256: makes the tokens that forms bring along. */
  formKey: CryptoKey;
  /** The cookie goes over TLS only. */
  secure: boolean;
}

/**
 * Lets in who answers for the store's data subjects. Who is not signed in is sent to the form and back; a request
 * that is not for a page is refused.
 */
export function signedIn({ authenticate, count, formKey }: SessionOptions): MiddlewareHandler<InspectEnv> {
  return createMiddleware<InspectEnv>(async (c, next) => {
    const cookie = c.req.header("authorization") === undefined ? getCookie(c, COOKIE) : undefined;
    const headers = new Headers(c.req.raw.headers);
    if (cookie) headers.set("authorization", `Bearer ${cookie}`);
    try {
      const { by, stores, home } = await admitted(authenticate, headers, c.req.query("store"));
      c.set("by", by);
      c.set("stores", stores);
      c.set("home", home);
    } catch (error) {
      const stranger = error instanceof DomainError && error.code === "UNAUTHENTICATED";
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
    c.set("csrf", cookie && await csrfToken(formKey, cookie));
    if (c.req.method === "POST" && cookie) await requireCsrf(c, c.get("csrf"));
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
  { authenticate, secure }: SessionOptions,
  token: string,
): Promise<void> {
  if (!/^[\w.~+/-]+=*$/.test(token)) {
    throw new DomainError("INVALID_INPUT", "Cannot sign in: this is not a token");
  }
  await admitted(authenticate, new Headers({ authorization: `Bearer ${token}` }), undefined);
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

/** @param store whose requests the page is about; the one that the principal acts for when it is undefined */
async function admitted(authenticate: StoresAuthenticator, headers: Headers, store: string | undefined) {
  const principals = await authenticate(headers);
  const [own] = principals;
  const home = own.storeId;
  const wanted = store === undefined ? home : uuid.safeParse(store).data;
  const by = principals.find(({ storeId }) => storeId === wanted);
  if (!by) throw new DomainError("FORBIDDEN", "Cannot inspect requests: you have no role in this store");
  requireInspector(by);
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
