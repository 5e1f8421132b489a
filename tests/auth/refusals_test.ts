/** HTTP headers of authentication errors. */
import { DomainError } from "../../domain/errors.ts";
import { InvalidTokenError, refusalHeaders } from "../../auth/refusals.ts";
import assert from "node:assert/strict";

Deno.test("a refused token is challenged with a reason, a missing one without", () => {
  assert.deepEqual(refusalHeaders(new InvalidTokenError("it has expired")), {
    "www-authenticate":
      'Bearer error="invalid_token", error_description="Cannot accept the token: it has expired"',
  });
  assert.deepEqual(refusalHeaders(new DomainError("UNAUTHENTICATED", "header authorization is missing")), {
    "www-authenticate": "Bearer",
  });
});

Deno.test("a reason cannot break out of its quotes", () => {
  const value =
    refusalHeaders(new InvalidTokenError('a "quote" \\ é\r\nset-cookie: x'))["www-authenticate"] ?? "";
  assert.match(value, /^Bearer error="invalid_token", error_description="[^"\\\r\n]*"$/);
  new Headers({ "www-authenticate": value }); // throws if it is not a valid header
});

Deno.test("UNAVAILABLE gets Retry-After, and other errors get no header", () => {
  assert.deepEqual(refusalHeaders(new DomainError("UNAVAILABLE", "x")), { "retry-after": "5" });
  assert.deepEqual(refusalHeaders(new DomainError("FORBIDDEN", "x")), {});
});
