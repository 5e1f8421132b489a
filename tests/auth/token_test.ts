/** Tokens that hold, and every way in which one does not. */
import { createTokenVerifier } from "../../auth/token.ts";
import { SignJWT } from "jose";
import assert from "node:assert/strict";
import {
  assertRefused,
  claimsFor,
  encode,
  generateKey,
  OTHER_STORE,
  sign,
  startIssuer,
  STORE,
  SUBJECT,
} from "./issuer.ts";

const NOT_SIGNED = /not one that the issuer has signed/;

for (const alg of ["RS256", "PS256", "ES256", "EdDSA"]) {
  Deno.test(`verifier accepts a token signed with ${alg}`, async () => {
    const key = await generateKey(alg);
    await using issuer = startIssuer(key);
    const verify = createTokenVerifier(issuer);
    assert.deepEqual(await verify(await sign(key, claimsFor(issuer))), {
      principal: { id: SUBJECT, type: "STAFF", storeId: STORE, roles: ["CUSTOMER_SUPPORT"] },
      service: undefined,
    });
  });
}

Deno.test("verifier gives ids in lower case and drops roles of other stores and unknown ones", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const verify = createTokenVerifier(issuer);
  const { principal } = await verify(
    await sign(
      key,
      claimsFor(issuer, {
        sub: SUBJECT.toUpperCase(),
        store_id: STORE.toUpperCase(),
        roles: [
          `STORE_MANAGER@${OTHER_STORE}`,
          `PRIVACY_OFFICER@${STORE.toUpperCase()}`,
          `CATALOG_MANAGER@${STORE}`,
          `CUSTOMER_MANAGER@${STORE}`,
          `CUSTOMER_MANAGER@${STORE}`,
        ],
      }),
    ),
  );
  assert.deepEqual(principal, {
    id: SUBJECT,
    type: "STAFF",
    storeId: STORE,
    roles: ["CUSTOMER_MANAGER", "PRIVACY_OFFICER"],
  });
});

Deno.test("verifier gives a customer no role, whatever the token says", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const verify = createTokenVerifier(issuer);
  const changes = { principal_type: "CUSTOMER", roles: [`STORE_MANAGER@${STORE}`], client_id: "storefront" };
  const verified = await verify(await sign(key, claimsFor(issuer, changes)));
  assert.deepEqual(verified.principal.roles, []);
  assert.equal(verified.service, undefined);
});

Deno.test("verifier names the service that a system token was issued to", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const verify = createTokenVerifier(issuer);
  const changes = { principal_type: "SYSTEM", roles: undefined, client_id: "cart-service" };
  assert.equal((await verify(await sign(key, claimsFor(issuer, changes)))).service, "cart-service");
});

Deno.test("verifier refuses tokens that are not signed by a key of the issuer", async (t) => {
  const key = await generateKey("RS256");
  const stranger = await generateKey("RS256", key.kid);
  await using issuer = startIssuer(key);
  const verify = createTokenVerifier(issuer);
  const claims = claimsFor(issuer);
  const good = await sign(key, claims);
  const [header = "", payload = "", signature = ""] = good.split(".");
  const withSecret = (alg: string, secret: string) =>
    new SignJWT(claims).setProtectedHeader({ alg, kid: key.kid }).sign(new TextEncoder().encode(secret));
  const otherPayload = encode({ ...claims, roles: [`STORE_MANAGER@${STORE}`] });

  const forged: Record<string, string> = {
    "algorithm none": `${encode({ alg: "none", kid: key.kid })}.${payload}.`,
    "algorithm None, with a signature": `${encode({ alg: "None", kid: key.kid })}.${payload}.${signature}`,
    "HS256 with the public key's PEM as the secret": await withSecret("HS256", key.publicPem),
    "HS256 with the public JWK as the secret": await withSecret("HS256", JSON.stringify(key.publicJwk)),
    "a stranger's key under a known kid": await sign(stranger, claims),
    "an unknown kid": await sign(key, claims, { kid: "unknown" }),
    "a changed payload": `${header}.${otherPayload}.${signature}`,
    "a changed header": `${encode({ alg: "RS256", kid: key.kid, typ: "x" })}.${payload}.${signature}`,
    "no signature": `${header}.${payload}.`,
    "a cut signature": good.slice(0, -8),
    "a payload that is no JSON": `${header}.${btoa("no json")}.${signature}`,
    "two parts": `${header}.${payload}`,
    "five parts": `${good}.a.b`,
    "NUL bytes": good.replace(".", "\0."),
    "nothing": "",
  };
  for (const [name, token] of Object.entries(forged)) {
    await t.step(name, () => assertRefused(verify(token), token, NOT_SIGNED));
  }
  await t.step("and accepts the one they were made from", async () => {
    assert.equal((await verify(good)).principal.id, SUBJECT);
  });
});

Deno.test("verifier never reads keys from where a token says", async () => {
  const key = await generateKey();
  const stranger = await generateKey();
  await using issuer = startIssuer(key);
  await using trap = startIssuer(stranger);
  const verify = createTokenVerifier(issuer);
  const url = trap.jwksUrl.href;
  for (const header of [{ jku: url }, { x5u: url }, { jwk: stranger.publicJwk, kid: key.kid }]) {
    const token = await sign(stranger, claimsFor(issuer), header);
    await assertRefused(verify(token), token, NOT_SIGNED);
  }
  assert.equal(trap.reads, 0);
});

for (const alg of ["RS512", "ES384"]) {
  Deno.test(`verifier refuses ${alg} even with a key that the issuer publishes`, async () => {
    const key = await generateKey(alg);
    await using issuer = startIssuer(key);
    const token = await sign(key, claimsFor(issuer));
    await assertRefused(createTokenVerifier(issuer)(token), token, NOT_SIGNED);
  });
}

Deno.test("verifier refuses a critical header that it does not know in a token of the issuer", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const token = await new SignJWT(claimsFor(issuer))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, crit: ["urn:example:only"], "urn:example:only": true })
    .sign(key.privateKey, { crit: { "urn:example:only": true } });
  await assertRefused(createTokenVerifier(issuer)(token), token, NOT_SIGNED);
});

Deno.test("verifier refuses signed tokens whose claims do not hold", async (t) => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const verify = createTokenVerifier(issuer);
  const now = Math.floor(Date.now() / 1_000);
  const missing = (claim: string) => new RegExp(`claim ${claim} is missing or `);
  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ["expired", { exp: now - 6 }, /expired/],
    ["without an expiry", { exp: undefined }, missing("exp")],
    ["with an expiry that is no number", { exp: `${now + 600}` }, missing("exp")],
    ["not valid yet", { nbf: now + 60 }, missing("nbf")],
    ["of another issuer", { iss: "https://identity.example/" }, missing("iss")],
    ["without an issuer", { iss: undefined }, missing("iss")],
    ["for another audience", { aud: "order-service" }, missing("aud")],
    ["for other audiences", { aud: ["order-service", "customer-service-2"] }, missing("aud")],
    ["without an audience", { aud: undefined }, missing("aud")],
    ["without a subject", { sub: undefined }, missing("sub")],
    ["with a subject that is no UUID", { sub: "somebody" }, missing("sub")],
    ["with a subject and a NUL byte", { sub: `${SUBJECT}\0` }, missing("sub")],
    ["with a subject that is a number", { sub: 7 }, missing("sub")],
    ["without a store", { store_id: undefined }, missing("store_id")],
    ["with a store that is no UUID", { store_id: `${STORE}0` }, missing("store_id")],
    ["with two stores", { store_id: [STORE, OTHER_STORE] }, missing("store_id")],
    ["without a principal type", { principal_type: undefined }, missing("principal_type")],
    ["with an unknown principal type", { principal_type: "ADMIN" }, missing("principal_type")],
    ["with a principal type in lower case", { principal_type: "staff" }, missing("principal_type")],
    ["with roles in one string", { roles: `STORE_MANAGER@${STORE}` }, missing("roles")],
    ["with roles that are null", { roles: null }, missing("roles")],
    ["with a role that is an object", { roles: [{ STORE_MANAGER: STORE }] }, missing("roles")],
    ["with a role without a store", { roles: ["STORE_MANAGER"] }, missing("roles")],
    ["with a role in a store that is no UUID", { roles: ["STORE_MANAGER@*"] }, missing("roles")],
    ["with a role in two stores", { roles: [`STORE_MANAGER@${OTHER_STORE}@${STORE}`] }, missing("roles")],
    ["with a client that is no string", { client_id: ["cart-service"] }, missing("client_id")],
  ];
  for (const [name, changes, reason] of wrong) {
    const token = await sign(key, claimsFor(issuer, changes));
    await t.step(name, () => assertRefused(verify(token), token, reason));
  }
});

Deno.test("verifier allows clocks to differ by seconds", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const now = Math.floor(Date.now() / 1_000);
  const token = await sign(key, claimsFor(issuer, { nbf: now + 3, exp: now + 600 }));
  assert.ok(await createTokenVerifier(issuer)(token));
});

Deno.test("verifier refuses an over-long token without reading keys", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const roles = Array.from({ length: 400 }, () => `STORE_MANAGER@${crypto.randomUUID()}`);
  const token = await sign(key, claimsFor(issuer, { roles }));
  await assertRefused(createTokenVerifier(issuer)(token), token, /longer than/);
  assert.equal(issuer.reads, 0);
});
