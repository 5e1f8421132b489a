/** Verified tokens are remembered, but not for longer than they hold. */
import { remember } from "../../auth/remember.ts";
import assert from "node:assert/strict";

Deno.test("a verified token is not verified again at once, and another one is", async () => {
  const asked: string[] = [];
  const verify = remember((token) => {
    asked.push(token);
    return Promise.resolve({ verified: { token }, expiresAt: Date.now() + 60_000 });
  });
  for (const token of ["a", "a", "b", "a", "b"]) assert.deepEqual(await verify(token), { token });
  assert.deepEqual(asked, ["a", "b"]);
});

Deno.test("a verified token is verified again once it has expired", async () => {
  let asked = 0;
  const expiresAt = Date.now() + 1_000;
  const verify = remember(() => {
    asked++;
    return Promise.resolve({ verified: {}, expiresAt });
  });
  await verify("a");
  await verify("a");
  assert.equal(asked, 1);
  const deadline = Date.now() + 5_000;
  while (asked === 1 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    await verify("a");
  }
  assert.ok(Date.now() >= expiresAt);
  await verify("a");
  assert.equal(asked, 3, "an expired token is never remembered");
});

Deno.test("a refused token is verified each time", async () => {
  let asked = 0;
  const verify = remember(() => {
    asked++;
    return Promise.reject(new Error("refused"));
  });
  await assert.rejects(verify("a"), /refused/);
  await assert.rejects(verify("a"), /refused/);
  assert.equal(asked, 2);
});
