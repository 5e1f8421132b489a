/** `/.well-known/erasure-receipt-keys.json`: the public keys that verify erasure receipts, as a JWK Set (RFC 7517). */
import { Hono } from "@hono/hono";
import type { JWK } from "jose";

const DAY_SECONDS = 86_400;

/**
 * Creates an app to mount at `/`. Everyone may read the keys: whoever has a receipt has to verify it without an account.
 *
 * @param keys public keys: the current one, followed by earlier ones
 */
export function createReceiptKeys(keys: readonly JWK[]): Hono {
  return new Hono().get("/.well-known/erasure-receipt-keys.json", (c) => {
    c.header("cache-control", `public, max-age=${DAY_SECONDS}`);
    c.header("access-control-allow-origin", "*");
    return c.body(JSON.stringify({ keys }), 200, { "content-type": "application/jwk-set+json" });
  });
}
