/** Credentials that the service presents to participants: a client certificate and a token. */
import assert from "node:assert/strict";
import { createWorld, register } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { gatewayHeaders, portsOf, production, TRUSTING } from "../production.ts";
import { createAuthority } from "../rpc/certificates.ts";
import { order, startPeer } from "../rpc/peer.ts";
import { startAndFail, startService, temporaryFolder } from "../service.ts";

Deno.test("the service sends participants its certificate and token, and does not start if the token file is missing", async () => {
  await using world = await createWorld();
  await using folder = await temporaryFolder();
  const authority = createAuthority("participants");
  const { certificate, key } = authority.issue({ uri: "spiffe://shop/ns/shop/sa/customer-service" });
  const files = { ca: authority.certificate, certificate, key, token: "the-token\n" };
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder.path}/${name}`, text);
  const received: unknown[] = [];
  await using participant = await startPeer(async (call) => {
    received.push(...call.metadata.getAll("authorization"));
    await call.send(order(1));
  }, { ...authority.issue({ dns: "localhost" }), clientCa: authority.certificate });
  const env = {
    ...production(world.database.url),
    ...TRUSTING,
    GDPR_PARTICIPANTS: "order-service",
    PEER_ORDER_SERVICE_URL: participant.url.href,
    PEER_TLS_CA: `${folder.path}/ca`,
    PEER_TLS_CERT: `${folder.path}/certificate`,
    PEER_TLS_KEY: `${folder.path}/key`,
    PEER_TOKEN_PATH: `${folder.path}/token`,
  };
  const customer = await register(world);
  await using service = startService(env);
  const { http } = await portsOf(service);
  await fetch(`http://127.0.0.1:${http}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...gatewayHeaders(customer) },
    body: JSON.stringify({ query: "mutation { requestPortability { request { id } } }" }),
  });
  await eventually(async () => {
    const [row] = await world.admin`select outcome from gdpr_requests`;
    assert.equal(row?.outcome, "FULFILLED");
  });
  assert.deepEqual(received, ["Bearer the-token"]);

  await Deno.remove(`${folder.path}/token`);
  assert.match(
    await startAndFail(env),
    /^Cannot call participants: PEER_TOKEN_PATH: cannot read the file: NotFound\n$/,
  );
});
