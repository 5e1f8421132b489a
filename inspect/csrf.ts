/**
 * Protection against cross-site request forgery, in two steps that inspect/mod.tsx puts before every form: a form comes
 * from our own origin, and a form that a cookie authenticates carries the token of that session.
 */
import type { MiddlewareHandler } from "@hono/hono";
import { csrf } from "@hono/hono/csrf";
import { createMiddleware } from "@hono/hono/factory";
import { DomainError } from "../domain/errors.ts";
import { hmacSha256, isEqual } from "../lib/hash.ts";
import { receiveForm } from "./forms.ts";
import { type InspectEnv, sessionCookie, type SessionOptions } from "./session.ts";

/**
 * Refuses forms of other sites, by `Origin` and `Sec-Fetch-Site`: before anyone is signed in, so that another site
 * cannot sign a browser in either, and however the person is authenticated.
 *
 * @throws {HTTPException} 403
 */
export function requireOwnOrigin(): MiddlewareHandler {
  return csrf();
}

/**
 * Receives the form of a signed-in person, and refuses one that lacks the token of the session in the cookie. Other
 * sites and other sessions do not know the token.
 *
 * @throws {DomainError} FORBIDDEN
 */
export function requireFormToken(
  { bodies, formKey, secure }: SessionOptions,
): MiddlewareHandler<InspectEnv> {
  return createMiddleware<InspectEnv>(async (c, next) => {
    const cookie = sessionCookie(c, secure);
    const token = cookie && await formToken(formKey, cookie);
    c.set("csrf", token);
    if (c.req.method === "POST") {
      await receiveForm(c, bodies, c.var.by.id);
      if (token && !isEqual(String((await c.req.parseBody()).csrf ?? ""), token)) {
        throw new DomainError(
          "FORBIDDEN",
          "Cannot take the form: it is of another session; load the page again",
        );
      }
    }
    await next();
  });
}

/** The token is tied to the session: that of another session is refused. */
async function formToken(formKey: CryptoKey, cookie: string): Promise<string> {
  const bytes = await hmacSha256(formKey, `inspector form ${cookie}`);
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
