/** Forged tokens: an address with too many is refused without a check, at every edge; accepted tokens are not. */
import assert from "node:assert/strict";
import { createWorld, register } from "../actors/world.ts";
import { claimsFor, generateKey, sign, startIssuer } from "../auth/issuer.ts";
import { portsOf, production } from "../production.ts";
import { asked, connect } from "../rpc/client.ts";
import { startService } from "../service.ts";

/** More than an address may cause at once, and than it gains while they are sent. */
const FORGED = 3_000;
const PARALLEL = 50;
const PROXIES = 1;

Deno.test("an address that sends forged tokens is refused at every edge, other addresses and known tokens are not", async () => {
  await using world = await createWorld();
  const customer = await register(world);
  const [key, forger] = [await generateKey(), await generateKey()];
  await using issuer = startIssuer(key);
  await using service = startService({
    ...production(world.database.url),
    JWT_JWKS_URL: issuer.jwksUrl.href,
    JWT_ISSUER: issuer.issuer,
    JWT_AUDIENCE: issuer.audience,
    GRPC_AUTH: "token",
    TRUSTED_PROXIES: String(PROXIES),
    RATE_LIMIT_ADDRESS: "0",
  });
  const ports = await portsOf(service);
  using client = connect(ports.grpc);
  const shopper = { sub: customer.id, store_id: customer.storeId, principal_type: "CUSTOMER", roles: [] };
  const tokenOf = (signer: typeof key, claims = {}) =>
    sign({ ...signer, kid: key.kid }, claimsFor(issuer, { ...shopper, jti: crypto.randomUUID(), ...claims }));
  const status = async (path: string, token: string, address: string) => {
    const init = path === "/graphql"
      ? { method: "POST", body: '{"query":"{ me { id } }"}', headers: { "content-type": "application/json" } }
      : { method: "GET", headers: {} };
    const response = await fetch(`http://127.0.0.1:${ports.http}${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${token}`, "x-forwarded-for": address },
    });
    const text = await response.text();
    return path === "/graphql" ? text.match(/"code":"(\w+)"/)?.[1] ?? "OK" : response.status;
  };

  const [known, forged] = [await tokenOf(key), await tokenOf(forger)];
  assert.equal(await status("/graphql", known, "192.0.2.1"), "OK");
  assert.equal(await status("/graphql", forged, "192.0.2.1"), "UNAUTHENTICATED");
  for (let sent = 0; sent < FORGED; sent += PARALLEL) {
    await Promise.all(Array.from({ length: PARALLEL }, () => status("/customers", forged, "192.0.2.1")));
  }
  const fresh = await tokenOf(key);
  assert.equal(await status("/customers", forged, "192.0.2.1"), 429);
  assert.equal(await status("/inspect", forged, "192.0.2.1"), 429);
  assert.equal(await status("/exports/none", forged, "192.0.2.1"), 429);
  assert.equal(await status("/graphql", forged, "192.0.2.1"), "RATE_LIMITED");
  assert.equal(await status("/graphql", fresh, "192.0.2.1"), "RATE_LIMITED");
  assert.equal(await status("/graphql", known, "192.0.2.1"), "OK");
  assert.equal(await status("/graphql", fresh, "192.0.2.2"), "OK");

  const request = asked({ storeId: customer.storeId, customerId: customer.id });
  const call = () => client.groups(request, { metadata: { authorization: `Bearer ${forged}` } });
  assert.equal((await call()).status, "UNAUTHENTICATED", "callers of gRPC have another address");
  let last = "";
  for (let sent = 0; sent < FORGED && last !== "RESOURCE_EXHAUSTED"; sent += PARALLEL) {
    last = (await Promise.all(Array.from({ length: PARALLEL }, call))).at(-1)!.status;
  }
  assert.equal(last, "RESOURCE_EXHAUSTED");
});
