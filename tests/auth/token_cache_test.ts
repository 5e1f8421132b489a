/** Verified tokens are cached, but not beyond their expiry. */
import { cacheVerified } from "../../auth/token_cache.ts";
import assert from "node:assert/strict";

Deno.test("a verified token is not verified again at once, but another token is", async () => {
  const verifications: string[] = [];
  const verify = cacheVerified((token) => {
    verifications.push(token);
    return Promise.resolve({ verified: { token }, expiresAt: Date.now() + 60_000 });
  });
  for (const token of ["a", "a", "b", "a", "b"]) assert.deepEqual(await verify(token), { token });
  assert.deepEqual(verifications, ["a", "b"]);
});

Deno.test("a verified token is verified again once it has expired", async () => {
  let verifications = 0;
  const expiresAt = Date.now() + 1_000;
  const verify = cacheVerified(() => {
    verifications++;
    return Promise.resolve({ verified: {}, expiresAt });
  });
  await verify("a");
  await verify("a");
  assert.equal(verifications, 1);
  const deadline = Date.now() + 5_000;
  while (verifications === 1 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    await verify("a");
  }
  assert.ok(Date.now() >= expiresAt);
  await verify("a");
  assert.equal(verifications, 3, "an expired token is never cached");
});

Deno.test("a refused token is verified each time", async () => {
  let verifications = 0;
  const verify = cacheVerified(() => {
    verifications++;
    return Promise.reject(new Error("refused"));
  });
  await assert.rejects(verify("a"), /refused/);
  await assert.rejects(verify("a"), /refused/);
  assert.equal(verifications, 2);
});
