import assert from "node:assert/strict";
import { createForgeryBudget } from "../../auth/forgery_budget.ts";
import { cacheVerified } from "../../auth/token_cache.ts";
import { InvalidTokenError } from "../../auth/refusals.ts";
import { DomainError, hasCode } from "../../domain/errors.ts";

const LIMITS = { burst: 3, perSecond: 2 };

Deno.test("invalid tokens of an address are checked until its budget is used up, and again as time passes", async () => {
  let ms = 0;
  let checks = 0;
  const verify = cacheVerified((token: string) => {
    checks++;
    return token.startsWith("valid")
      ? Promise.resolve({ verified: { token }, expiresAt: Date.now() + 60_000 })
      : Promise.reject(new InvalidTokenError("its signature is not the issuer's"));
  }, createForgeryBudget({ ...LIMITS, now: () => ms }));
  const codeOf = (token: string, address: string) =>
    verify(token, address).then(() => "OK", (error: DomainError) => error.code);

  assert.equal(await codeOf("valid 1", "192.0.2.1"), "OK");
  for (let i = 0; i < 3; i++) assert.equal(await codeOf(`forged ${i}`, "192.0.2.1"), "UNAUTHENTICATED");
  assert.equal(checks, 4);
  assert.equal(await codeOf("forged 4", "192.0.2.1"), "RATE_LIMITED");
  assert.equal(await codeOf("valid 2", "192.0.2.1"), "RATE_LIMITED", "an unknown token is not checked");
  assert.equal(checks, 4);
  assert.equal(await codeOf("valid 1", "192.0.2.1"), "OK", "a cached token is accepted");
  assert.equal(
    await codeOf("forged 5", "192.0.2.2"),
    "UNAUTHENTICATED",
    "another address has its own budget",
  );

  ms += 500;
  assert.equal(await codeOf("valid 2", "192.0.2.1"), "RATE_LIMITED", "refusals are charged too");
  ms += 1_500;
  assert.equal(await codeOf("valid 2", "192.0.2.1"), "OK");
  assert.equal(await codeOf("forged 6", "192.0.2.1"), "UNAUTHENTICATED");
  assert.equal(await codeOf("forged 7", "192.0.2.1"), "RATE_LIMITED");
  for (let i = 0; i < 100; i++) await codeOf(`forged ${i}`, "192.0.2.1");
  ms += 2_000; // from -3 to 1, however long the flood was
  assert.equal(await codeOf("valid 3", "192.0.2.1"), "OK");
});

Deno.test("a check that fails because the issuer cannot be reached costs the address nothing", async () => {
  const budget = createForgeryBudget({ ...LIMITS, now: () => 0 });
  const verify = cacheVerified(
    () => Promise.reject(new DomainError("UNAVAILABLE", "Cannot verify the token")),
    budget,
  );
  for (let i = 0; i < 10; i++) {
    await assert.rejects(verify(`token ${i}`, "192.0.2.1"), (error) => hasCode(error, "UNAVAILABLE"));
  }
});
