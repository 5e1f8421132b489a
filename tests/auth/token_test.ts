/** Token verification: valid tokens, and each reason for a refusal. */
import { ALGORITHMS, createTokenVerifier } from "../../auth/token.ts";
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

/** Reasons for refusing a token that no key of the issuer has signed. */
const NOT_SIGNED =
  /: (it is not a signed JWT|its signature is not|its alg is not|the issuer publishes no key)/;

for (const alg of ALGORITHMS) {
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

Deno.test("verifier returns IDs in lower case and drops unknown roles and roles of other stores", async () => {
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

Deno.test("verifier drops all roles of a customer", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const verify = createTokenVerifier(issuer);
  const changes = { principal_type: "CUSTOMER", roles: [`STORE_MANAGER@${STORE}`], client_id: "storefront" };
  const verified = await verify(await sign(key, claimsFor(issuer, changes)));
  assert.deepEqual(verified.principal.roles, []);
  assert.equal(verified.service, undefined);
});

Deno.test("verifier reads when a customer signed in and ignores it for staff", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const verify = createTokenVerifier(issuer);
  const read = async (changes: Record<string, unknown>) =>
    (await verify(await sign(key, claimsFor(issuer, changes)))).principal.authenticatedAt;
  const customer = { principal_type: "CUSTOMER" };
  assert.deepEqual(await read({ ...customer, auth_time: 1_700_000_000 }), new Date(1_700_000_000_000));
  assert.equal(await read(customer), undefined);
  assert.equal(await read({ auth_time: 1_700_000_000 }), undefined);
  for (const auth_time of ["1700000000", -1, 1.5, 1e15, null]) {
    await assert.rejects(read({ ...customer, auth_time }), { code: "UNAUTHENTICATED" });
  }
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
    "a payload that is not JSON": `${header}.${btoa("no json")}.${signature}`,
    "two parts": `${header}.${payload}`,
    "five parts": `${good}.a.b`,
    "NUL bytes": good.replace(".", "\0."),
    "a padded signature": `${good}=`,
    "a padded payload": `${header}.${payload}=.${signature}`,
    "nothing": "",
  };
  for (const [name, token] of Object.entries(forged)) {
    await t.step(name, () => assertRefused(verify(token), token, NOT_SIGNED));
  }
  await t.step("and accepts the one they were made from", async () => {
    assert.equal((await verify(good)).principal.id, SUBJECT);
  });
});

Deno.test("verifier never reads keys from a URL in a token", async () => {
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

Deno.test("verifier names the accepted algorithms, none of which is symmetric", async () => {
  const secret = new TextEncoder().encode("a secret that is published by mistake");
  const key = await generateKey();
  key.publicJwk = {
    kty: "oct",
    k: secret.toBase64({ alphabet: "base64url", omitPadding: true }),
    alg: "HS256",
  };
  await using issuer = startIssuer(key);
  const token = await new SignJWT(claimsFor(issuer)).setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
    .sign(secret);
  await assertRefused(
    createTokenVerifier(issuer)(token),
    token,
    /: its alg is not one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519$/,
  );
});

Deno.test("verifier tries each key that fits a token without kid", async () => {
  const [first, second, stranger] = await Promise.all(
    ["RS256", "RS256", "RS256"].map((alg) => generateKey(alg)),
  );
  assert.ok(first && second && stranger);
  for (const { publicJwk } of [first, second]) delete publicJwk.kid;
  await using issuer = startIssuer(first, second);
  const verify = createTokenVerifier(issuer);
  for (const key of [first, second]) {
    const { principal } = await verify(await sign(key, claimsFor(issuer), { kid: undefined }));
    assert.equal(principal.id, SUBJECT);
  }
  const token = await sign(stranger, claimsFor(issuer), { kid: undefined });
  await assertRefused(verify(token), token, /its signature is not the issuer's/);
  const expired = await sign(second, claimsFor(issuer, { exp: 1 }), { kid: undefined });
  await assertRefused(verify(expired), expired, /it has expired/);
});

Deno.test("verifier accepts access tokens only, unless other types are configured", async (t) => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const tokenOf = (typ: unknown) => sign(key, claimsFor(issuer, { jti: crypto.randomUUID() }), { typ });
  const table: [types: string[], accepted: unknown[], refused: unknown[]][] = [
    [
      ["at+jwt"],
      ["at+jwt", "application/at+jwt", "AT+JWT", "Application/At+Jwt"],
      ["JWT", "logout+jwt", "id_token", "none", "", undefined, "application/jwt", "x/at+jwt", ["at+jwt"], 7],
    ],
    [["at+jwt", "JWT"], ["JWT", "jwt", "application/jwt", "at+jwt"], ["logout+jwt", undefined]],
    [["application/at+jwt"], ["at+jwt"], ["JWT", undefined]],
    [["none"], [undefined], ["at+jwt", "JWT", "none", ""]],
  ];
  for (const [types, accepted, refused] of table) {
    const verify = createTokenVerifier({ ...issuer, types });
    for (const typ of accepted) {
      await t.step(`${types}: ${typ} is accepted`, async () => {
        assert.ok(await verify(await tokenOf(typ)));
      });
    }
    for (const typ of refused) {
      await t.step(`${types}: ${typ} is refused`, async () => {
        const token = await tokenOf(typ);
        await assertRefused(verify(token), token, /its typ is not /);
      });
    }
  }
});

Deno.test("verifier returns a stable UUID for a service with a client ID", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const idOf = async (sub: string, from = issuer) => {
    const claims = claimsFor(from, { sub, principal_type: "SYSTEM", client_id: sub, roles: undefined });
    const { principal, service } = await createTokenVerifier(from)(await sign(key, claims));
    assert.equal(service, sub);
    return principal.id;
  };
  const id = await idOf("identity-service");
  // Journals contain it. With another value the same service would look like another actor.
  assert.equal(id, "48e4d2eb-2f8d-599e-a8ff-8ecc56f63f8e");
  assert.notEqual(await idOf("order-service"), id);
  assert.notEqual(await idOf("Identity-service"), id);
  assert.notEqual(await idOf("identity-service", { ...issuer, issuer: "https://other.example" }), id);
  assert.equal(await idOf(SUBJECT), SUBJECT);
});

Deno.test("verifier drops roles that do not have this service's form", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const verify = createTokenVerifier(issuer);
  const rolesOf = async (roles: unknown) =>
    (await verify(await sign(key, claimsFor(issuer, { roles, jti: crypto.randomUUID() })))).principal.roles;
  const own = `CUSTOMER_MANAGER@${STORE}`;
  const foreign: unknown[] = ["offline_access", "uma_authorization", "", null, 7, { STORE_MANAGER: STORE }, [
    own,
  ]];
  foreign.push("STORE_MANAGER", "STORE_MANAGER@*", `STORE_MANAGER@${OTHER_STORE}@${STORE}`);
  foreign.push(` STORE_MANAGER@${STORE}`, `store_manager@${STORE}`, `STORE_MANAGER@${STORE} `);
  assert.deepEqual(await rolesOf([...foreign, own]), ["CUSTOMER_MANAGER"]);
  assert.deepEqual(await rolesOf(foreign), []);
  for (const none of [null, undefined, []]) assert.deepEqual(await rolesOf(none), []);
});

Deno.test("verifier refuses an unknown critical header in a token of the issuer", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const token = await new SignJWT(claimsFor(issuer))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, crit: ["urn:example:only"], "urn:example:only": true })
    .sign(key.privateKey, { crit: { "urn:example:only": true } });
  await assertRefused(
    createTokenVerifier(issuer)(token),
    token,
    /its header asks for something that is not supported/,
  );
});

Deno.test("verifier refuses signed tokens with invalid claims", async (t) => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const verify = createTokenVerifier(issuer);
  const now = Math.floor(Date.now() / 1_000);
  const missing = (claim: string) => new RegExp(`claim ${claim} is missing or `);
  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ["expired", { exp: now - 6 }, /expired/],
    ["without an expiry", { exp: undefined }, missing("exp")],
    ["with an expiry that is not a number", { exp: `${now + 600}` }, missing("exp")],
    ["not valid yet", { nbf: now + 60 }, missing("nbf")],
    ["of another issuer", { iss: "https://identity.example/" }, missing("iss")],
    ["without an issuer", { iss: undefined }, missing("iss")],
    ["for another audience", { aud: "order-service" }, missing("aud")],
    ["for other audiences", { aud: ["order-service", "customer-service-2"] }, missing("aud")],
    ["without an audience", { aud: undefined }, missing("aud")],
    ["with an expiry in a hundred years", { exp: now + 100 * 365 * 86_400 }, missing("exp")],
    ["without a subject", { sub: undefined }, missing("sub")],
    ["with a subject that is not a UUID", { sub: "not-a-uuid" }, missing("sub")],
    [
      "with a customer's subject that is not a UUID",
      { sub: "x", principal_type: "CUSTOMER" },
      missing("sub"),
    ],
    ["with a service's empty subject", { sub: "", principal_type: "SYSTEM" }, missing("sub")],
    ["with a service's long subject", { sub: "x".repeat(256), principal_type: "SYSTEM" }, missing("sub")],
    ["with a subject and a NUL byte", { sub: `${SUBJECT}\0` }, missing("sub")],
    ["with a subject that is a number", { sub: 7 }, missing("sub")],
    ["without a store", { store_id: undefined }, missing("store_id")],
    ["with a store that is not a UUID", { store_id: `${STORE}0` }, missing("store_id")],
    ["with two stores", { store_id: [STORE, OTHER_STORE] }, missing("store_id")],
    ["without a principal type", { principal_type: undefined }, missing("principal_type")],
    ["with an unknown principal type", { principal_type: "ADMIN" }, missing("principal_type")],
    ["with a principal type in lower case", { principal_type: "staff" }, missing("principal_type")],
    ["with roles in one string", { roles: `STORE_MANAGER@${STORE}` }, missing("roles")],
    ["with a client that is not a string", { client_id: ["cart-service"] }, missing("client_id")],
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
