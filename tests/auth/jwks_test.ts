/** Key rotation and outages of the issuer's JWKS endpoint. */
import { createTokenVerifier } from "../../auth/token.ts";
import assert from "node:assert/strict";
import { createAuthority } from "../rpc/certificates.ts";
import { assertRefused, assertUnavailable, claimsFor, generateKey, sign, startIssuer } from "./issuer.ts";

Deno.test("verifier accepts a new key and drops a withdrawn one", async () => {
  const [old, young] = await Promise.all([generateKey(), generateKey()]);
  await using issuer = startIssuer(old);
  const verify = createTokenVerifier({ ...issuer, cooldownMs: 0 });
  await verify(await sign(old, claimsFor(issuer)));
  issuer.publish(old, young);
  await verify(await sign(young, claimsFor(issuer)));
  await verify(await sign(old, claimsFor(issuer, { jti: "second" })));
  assert.equal(issuer.reads, 2);

  issuer.publish(young);
  const unknown = await sign(young, claimsFor(issuer), { kid: "unknown" });
  await assertRefused(verify(unknown), unknown, /publishes no key/);
  const late = await sign(old, claimsFor(issuer, { jti: "third" }));
  await assertRefused(verify(late), late, /publishes no key/);
  await verify(await sign(young, claimsFor(issuer, { jti: "fourth" })));
});

Deno.test("verifier reads the keys once for many tokens, and once for many unknown ones", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const verify = createTokenVerifier(issuer);
  const tokens = await Promise.all(
    Array.from({ length: 20 }, (_, number) => sign(key, claimsFor(issuer, { jti: `${number}` }))),
  );
  await Promise.all(tokens.map((token) => verify(token)));
  for (let number = 0; number < 20; number++) {
    const token = await sign(key, claimsFor(issuer), { kid: `unknown-${number}` });
    await assertRefused(verify(token), token, /publishes no key/);
  }
  assert.equal(issuer.reads, 1);
});

Deno.test("verifier trusts the given authority of the issuer's certificate, and no other", async () => {
  const key = await generateKey();
  const [own, other] = [createAuthority("own"), createAuthority("other")];
  await using issuer = startIssuer(key);
  const { certificate: cert, key: privateKey } = own.issue({ ip: "127.0.0.1" }, { dns: "localhost" });
  const options = { hostname: "127.0.0.1", port: 0, cert, key: privateKey, onListen() {} };
  await using server = Deno.serve(options, () => Response.json({ keys: [key.publicJwk] }));
  const jwksUrl = new URL(`https://localhost:${server.addr.port}/jwks.json`);
  const token = await sign(key, claimsFor(issuer));
  await createTokenVerifier({ ...issuer, jwksUrl, jwksCa: own.certificate })(token);
  await assertUnavailable(createTokenVerifier({ ...issuer, jwksUrl, jwksCa: other.certificate })(token));
  await assertUnavailable(createTokenVerifier({ ...issuer, jwksUrl })(token));
});

Deno.test("verifier is unavailable while the keys cannot be read, and recovers", async (t) => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const verify = createTokenVerifier(issuer);
  const token = await sign(key, claimsFor(issuer));
  const failures: Record<string, () => Response> = {
    "the endpoint answers 503": () => new Response("try later", { status: 503 }),
    "the endpoint answers 404": () => new Response(null, { status: 404 }),
    "the endpoint redirects": () => Response.redirect("http://127.0.0.1:9/jwks.json"),
    "the endpoint answers a page": () => new Response("<html>"),
    "the endpoint answers something else": () => Response.json({ keys: "none" }),
  };
  for (const [name, response] of Object.entries(failures)) {
    await t.step(name, async () => {
      issuer.fail(response);
      await assertUnavailable(verify(token));
    });
  }
  issuer.publish(key);
  assert.ok(await verify(token));
});

Deno.test("verifier is unavailable while the endpoint is down, but still refuses malformed tokens", async () => {
  const key = await generateKey();
  const issuer = startIssuer(key);
  await issuer[Symbol.asyncDispose]();
  const verify = createTokenVerifier(issuer);
  await assertUnavailable(verify(await sign(key, claimsFor(issuer))));
  await assertRefused(verify("no.token.atall"), "no.token.atall", /signed/);
});

Deno.test("verifier uses cached keys while the endpoint is down", async () => {
  const key = await generateKey();
  const issuer = startIssuer(key);
  const verify = createTokenVerifier(issuer);
  await verify(await sign(key, claimsFor(issuer)));
  await issuer[Symbol.asyncDispose]();
  assert.ok(await verify(await sign(key, claimsFor(issuer, { jti: "second" }))));
});
