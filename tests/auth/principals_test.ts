/** HTTP authentication by token or by the gateway's headers. */
import { openAuth } from "../../auth/mod.ts";
import { createGatewayAuthenticator } from "../../auth/principals.ts";
import assert from "node:assert/strict";
import {
  assertRefused,
  claimsFor,
  generateKey,
  OTHER_STORE,
  sign,
  startIssuer,
  STORE,
  SUBJECT,
} from "./issuer.ts";

const GATEWAY = {
  "x-user-id": SUBJECT,
  "x-store-id": STORE,
  "x-principal-type": "STAFF",
  "x-roles": `CUSTOMER_SUPPORT@${STORE},STORE_MANAGER@${OTHER_STORE}`,
};
/** As in development, where the gateway has no secret. */
const authenticateByGateway = createGatewayAuthenticator([]);
const PRINCIPAL = { id: SUBJECT, type: "STAFF", storeId: STORE, roles: ["CUSTOMER_SUPPORT"] };

Deno.test("a request with a bearer token has the token's principal", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const { authenticate } = await openAuth(
    { mode: "jwt", tokens: { from: "jwks", ...issuer }, clients: {} },
    "unused",
  );
  const token = await sign(key, claimsFor(issuer));
  for (const scheme of ["Bearer", "bearer", "BEARER "]) {
    assert.deepEqual(await authenticate(new Headers({ authorization: `${scheme} ${token}` })), PRINCIPAL);
  }
});

Deno.test("a request without exactly one well-formed bearer token is refused", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const { authenticate } = await openAuth(
    { mode: "jwt", tokens: { from: "jwks", ...issuer }, clients: {} },
    "unused",
  );
  const token = await sign(key, claimsFor(issuer));
  const twice = new Headers({ authorization: `Bearer ${token}` });
  twice.append("authorization", `Bearer ${token}`);
  const wrong = [
    twice,
    new Headers(GATEWAY),
    ...[
      "",
      "Bearer",
      `Basic ${btoa("a:b")}`,
      token,
      `Bearer${token}`,
      `Bearer ${token} x`,
      `Bearer "${token}"`,
    ]
      .map((authorization) => new Headers({ authorization })),
  ];
  for (const headers of wrong) await assertRefused(authenticate(headers), token, /header authorization/);
});

Deno.test("a request through the gateway has the principal of its headers", async () => {
  assert.deepEqual(await authenticateByGateway(new Headers(GATEWAY)), PRINCIPAL);
  const customer = { ...GATEWAY, "x-principal-type": "CUSTOMER" };
  assert.deepEqual(await authenticateByGateway(new Headers(customer)), {
    ...PRINCIPAL,
    type: "CUSTOMER",
    roles: [],
  });
  const authenticated = await authenticateByGateway(
    new Headers({ ...customer, "x-auth-time": "1700000000" }),
  );
  assert.deepEqual(authenticated.authenticatedAt, new Date(1_700_000_000_000));
  const capitals = { ...GATEWAY, "x-user-id": SUBJECT.toUpperCase(), "x-store-id": STORE.toUpperCase() };
  assert.deepEqual(await authenticateByGateway(new Headers(capitals)), PRINCIPAL);
});

Deno.test("a request through the gateway may have no roles", async () => {
  const { "x-roles": _, ...without } = GATEWAY;
  for (const headers of [without, { ...without, "x-roles": "" }]) {
    assert.deepEqual(await authenticateByGateway(new Headers(headers)), { ...PRINCIPAL, roles: [] });
  }
});

Deno.test("a request through the gateway is refused if a header is missing, malformed or repeated", async (t) => {
  const wrong: Record<string, string[]> = {
    "x-user-id": ["", "not-a-uuid", `${SUBJECT}0`, `{${SUBJECT}}`],
    "x-store-id": ["", "*", `${STORE},${STORE}`],
    "x-auth-time": ["", "yesterday", "-1", "1.5", "1, 2", "9".repeat(14)],
    "x-principal-type": ["", "staff", "ADMIN", "STAFF,SYSTEM"],
    "x-roles": [
      "STORE_MANAGER",
      `${STORE}@STORE_MANAGER`,
      `STORE_MANAGER@${STORE},`,
      `STORE_MANAGER@${STORE};`,
    ],
  };
  for (const [name, values] of Object.entries(wrong)) {
    await t.step(name, async () => {
      const reason = new RegExp(`header ${name} is missing or malformed`);
      const attempt = (headers: Headers) => assertRefused(authenticateByGateway(headers), "", reason);
      for (const value of values) await attempt(new Headers({ ...GATEWAY, [name]: value }));
      const twice = new Headers(GATEWAY);
      twice.append(name, GATEWAY[name as keyof typeof GATEWAY]);
      await attempt(twice);
      if (name === "x-roles" || name === "x-auth-time") return;
      const missing = new Headers(GATEWAY);
      missing.delete(name);
      await attempt(missing);
    });
  }
});

Deno.test("a gateway with secrets must send one of them", async () => {
  const [old, young] = ["old-secret".repeat(4), "young-secret".repeat(4)];
  const { authenticate, authenticateInStores } = await openAuth(
    { mode: "gateway", tokens: undefined, secrets: [old, young], clients: {} },
    "unused",
  );
  for (const secret of [old, young]) {
    const headers = new Headers({ ...GATEWAY, "x-gateway-secret": secret });
    assert.deepEqual(await authenticate(headers), PRINCIPAL);
    assert.deepEqual(await authenticateInStores(headers), [PRINCIPAL]);
  }
  const twice = new Headers({ ...GATEWAY, "x-gateway-secret": old });
  twice.append("x-gateway-secret", young);
  const wrong = ["", old.slice(1), `${old}x`, old.toUpperCase(), `${old},${young}`, `${old}, ${old}`]
    .map((secret) => new Headers({ ...GATEWAY, "x-gateway-secret": secret }));
  for (const headers of [new Headers(GATEWAY), twice, ...wrong]) {
    for (const attempt of [authenticate, authenticateInStores]) {
      await assertRefused(
        attempt(headers),
        old,
        /header x-gateway-secret is missing or is not one of GATEWAY_SECRET/,
      );
    }
  }
});

Deno.test("a token does not authenticate a request through the gateway", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const { authenticate } = await openAuth({
    mode: "gateway",
    clients: {},
    tokens: { from: "jwks", ...issuer },
    secrets: [],
  }, "unused");
  const authorization = `Bearer ${await sign(key, claimsFor(issuer))}`;
  await assertRefused(authenticate(new Headers({ authorization })), authorization, /header x-/);
  const both = await authenticate(new Headers({ ...GATEWAY, authorization: "Bearer of no token" }));
  assert.deepEqual(both, PRINCIPAL);
  assert.equal(issuer.reads, 0);
});

Deno.test("staff with roles in several stores have a principal in each, with only the roles of that store", async () => {
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const { authenticate, authenticateInStores } = await openAuth(
    { mode: "jwt", tokens: { from: "jwks", ...issuer }, clients: {} },
    "unused",
  );
  const headersOf = async (claims: Record<string, unknown>) =>
    new Headers({ authorization: `Bearer ${await sign(key, claimsFor(issuer, claims))}` });
  const third = "0190a000-0000-7000-8000-00000000f003";
  const roles = [
    `PRIVACY_OFFICER@${OTHER_STORE.toUpperCase()}`,
    `CUSTOMER_SUPPORT@${STORE}`,
    `CUSTOMER_SUPPORT@${OTHER_STORE}`,
    `FLORIST@${third}`,
  ];
  const staff = await headersOf({ roles });
  const there = { ...PRINCIPAL, storeId: OTHER_STORE, roles: ["CUSTOMER_SUPPORT", "PRIVACY_OFFICER"] };
  assert.deepEqual(await authenticateInStores(staff), [PRINCIPAL, there]);
  assert.deepEqual(await authenticate(staff), PRINCIPAL);
  for (const type of ["CUSTOMER", "SYSTEM"]) {
    const others = await authenticateInStores(await headersOf({ roles, principal_type: type }));
    assert.deepEqual(others.map(({ storeId }) => storeId), [STORE], type);
  }
  await assertRefused(authenticateInStores(new Headers()), "", /header authorization/);
});

Deno.test("a request through the gateway has a principal in the gateway's store only", async () => {
  const { authenticateInStores } = await openAuth(
    { mode: "gateway", tokens: undefined, secrets: [], clients: {} },
    "unused",
  );
  assert.deepEqual(await authenticateInStores(new Headers(GATEWAY)), [PRINCIPAL]);
});

Deno.test("a service is named by the client ID of its token or of the gateway, as configured", async () => {
  const clients = { "3f0c": "order-service" };
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const byToken = await openAuth({ mode: "jwt", tokens: { from: "jwks", ...issuer }, clients }, "unused");
  const byGateway = createGatewayAuthenticator([], clients);
  const service = { principal_type: "SYSTEM", roles: undefined };
  const names: [clientId: string | undefined, name: string | undefined][] = [
    ["3f0c", "order-service"],
    ["cart-service", "cart-service"],
    ["order-service", undefined], // the name of a service with another client ID
    [undefined, undefined],
  ];
  for (const [clientId, name] of names) {
    const claims = { ...service, ...(clientId !== undefined && { client_id: clientId }) };
    const authorization = `Bearer ${await sign(key, claimsFor(issuer, claims))}`;
    assert.equal(
      (await byToken.authenticate(new Headers({ authorization }))).service,
      name,
      `client ID ${clientId}`,
    );
    const headers = new Headers({ ...GATEWAY, "x-principal-type": "SYSTEM", "x-roles": "" });
    if (clientId !== undefined) headers.set("x-client-id", clientId);
    assert.equal((await byGateway(headers)).service, name, `client ID ${clientId}`);
  }
  const person = new Headers({ ...GATEWAY, "x-client-id": "3f0c" });
  assert.equal((await byGateway(person)).service, undefined, "a person is no service");
  const twice = new Headers({ ...GATEWAY, "x-principal-type": "SYSTEM", "x-client-id": "3f0c" });
  twice.append("x-client-id", "cart-service");
  await assertRefused(byGateway(twice), "", /header x-client-id is malformed/);
});
