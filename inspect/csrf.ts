/**
 * CSRF protection in two steps, which inspect/mod.tsx installs before every form: a form must be sent from our own
 * origin, and a form that a cookie authenticates must contain the token of that session.
 */
import type { MiddlewareHandler } from "@hono/hono";
import { csrf } from "@hono/hono/csrf";
import { createMiddleware } from "@hono/hono/factory";
import { DomainError } from "../domain/errors.ts";
import { hmacSha256, isEqual } from "../lib/hash.ts";
import { receiveForm } from "./forms.ts";
import { type InspectEnv, sessionCookie, type SessionOptions } from "./session.ts";

/**
 * Refuses forms of other sites by `Origin` and `Sec-Fetch-Site`. It runs before authentication, so that another site
 * cannot sign a browser in either.
 *
 * @throws {HTTPException} 403
 */
export function requireOwnOrigin(): MiddlewareHandler {
  return csrf();
}

/**
 * Receives the form of an authenticated person and refuses it unless it contains the token of the cookie's session.
 * Other sites and other sessions cannot know the token.
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
          "Cannot accept the form: it belongs to another session; reload the page and send it again",
        );
      }
    }
    await next();
  });
}

/** HMAC of the session cookie, so that a token is valid for one session only. */
async function formToken(formKey: CryptoKey, cookie: string): Promise<string> {
  const bytes = await hmacSha256(formKey, `inspector form ${cookie}`);
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
