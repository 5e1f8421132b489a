/** main.ts in production mode, on an external PostgreSQL. */
import assert from "node:assert/strict";
import { createWorld, register, shopper } from "./actors/world.ts";
import { claimsFor, generateKey, type Key, sign, startIssuer } from "./auth/issuer.ts";
import { eventually } from "./eventually.ts";
import { CART, gatewayHeaders, MESH, PLATFORM, portsOf, production, TRUSTING } from "./production.ts";
import { createAuthority } from "./rpc/certificates.ts";
import { asked, connect } from "./rpc/client.ts";
import { startAndFail, startService, temporaryFolder } from "./service.ts";

const REQUIRED = [
  ...["DATABASE_URL", "KAFKA_BROKERS", "JWT_JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE", "TRUSTED_PROXIES"],
  ...["GDPR_EXPORT_KEY", "GDPR_HASH_KEY", "GDPR_RECEIPT_KEY", "PEER_ORDER_SERVICE_URL"],
];

Deno.test("with tokens and mTLS and without Kafka, production serves and logs JSON only", async () => {
  await using world = await createWorld();
  const ref = await register(world, { email: "ada@example.com" });
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const authority = createAuthority("platform");
  await using files = await writeCertificates(authority);
  await using service = startService({
    ...production(world.database.url),
    ...tokensOf(issuer),
    ...files.env,
  });
  const ports = await portsOf(service);

  const authorization = `Bearer ${await tokenOf(key, issuer, ref)}`;
  const me = await ask(ports.http, `{ me { email } }`, { authorization });
  assert.deepEqual(me.data, { me: { email: "ada@example.com" } });
  assert.equal((await ask(ports.http, `{ me { email } }`)).errors[0].extensions.code, "UNAUTHENTICATED");
  const change = `mutation { updateProfile(input: { firstName: "Augusta" }) { customer { version } } }`;
  assert.equal((await ask(ports.http, change, { authorization })).data.updateProfile.customer.version, 2);

  const cart = authority.issue({ uri: CART });
  using known = connect(ports.grpc, { ca: authority.certificate, ...cart });
  assert.equal((await known.groups(asked({ storeId: world.storeId, customerId: ref.id }))).status, "OK");
  assert.equal(
    (await known.snapshot(asked({ storeId: world.storeId, customerId: ref.id }))).status,
    "PERMISSION_DENIED",
  );
  using stranger = connect(ports.grpc, { ca: authority.certificate });
  assert.equal((await stranger.groups({}, { withinMs: 3_000 })).status, "UNAVAILABLE");

  assert.equal((await fetch(`http://127.0.0.1:${ports.http}/readyz`)).status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${ports.http}/gateway/graphql`)).status, 404);
  const { code, output } = await service.stop("SIGTERM");
  assert.equal(code, 0);
  const lines = output.trim().split("\n").map((line) => JSON.parse(line).message);
  assert.ok(lines.some((line) => line.startsWith("Ready: ")));
  assert.equal(lines.at(-1), "Stopped");
  assert.doesNotMatch(output, /ada@example|Augusta/);
});

Deno.test("with a gateway and a mesh, production accepts their headers and no tokens", async () => {
  await using world = await createWorld();
  const ref = await register(world, { email: "ada@example.com" });
  await using service = startService({ ...production(world.database.url), ...TRUSTING });
  const ports = await portsOf(service);

  const headers = gatewayHeaders(ref);
  const me = await ask(ports.http, `{ me { email } }`, headers);
  assert.deepEqual(me.data, { me: { email: "ada@example.com" } });
  const { errors } = await ask(ports.http, `{ me { email } }`, { authorization: "Bearer a.b.c" });
  assert.equal(errors[0].extensions.code, "UNAUTHENTICATED");

  using client = connect(ports.grpc);
  const request = asked({ storeId: world.storeId, customerId: ref.id });
  assert.equal((await client.groups(request, { metadata: MESH })).status, "OK");
  assert.equal((await client.groups(request)).status, "UNAUTHENTICATED");
});

Deno.test("after SIGTERM, production answers requests in progress and refuses new ones", async () => {
  await using world = await createWorld();
  const ref = await register(world);
  await using service = startService({ ...production(world.database.url), ...TRUSTING });
  const ports = await portsOf(service);
  const headers = gatewayHeaders(ref);
  const change = `mutation { updateProfile(input: { firstName: "Augusta" }) { customer { version } } }`;

  const { inProgress, stopping } = await world.admin.begin(async (tx) => {
    await tx`select from customers where customer_id = ${ref.id} for update`;
    const inProgress = ask(ports.http, change, headers);
    await eventually(async () => {
      const [waiting] = await world.admin`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      assert.ok(waiting);
    });
    const stopping = service.stop("SIGTERM");
    await eventually(async () => {
      await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: ports.http }));
    });
    return { inProgress, stopping };
  });
  assert.equal((await inProgress).data.updateProfile.customer.version, 2);
  assert.equal((await stopping).code, 0);
});

Deno.test("production names each missing variable, and each invalid certificate file", async () => {
  const missing = await startAndFail({ DENO_ENV: "production" });
  for (const name of REQUIRED) {
    assert.match(missing, new RegExp(`^  ${name}: expected `, "m"));
  }
  await using world = await createWorld();
  const authority = createAuthority("platform");
  await using files = await writeCertificates(authority);
  await using others = await writeCertificates(authority);
  const { GRPC_TLS_KEY, GRPC_TLS_CERT } = others.env;
  const wrong: [Record<string, string>, string][] = [
    [{ GRPC_TLS_CERT: GRPC_TLS_KEY }, "GRPC_TLS_CERT: expected a file with a certificate in PEM form"],
    [
      { GRPC_TLS_CLIENT_CA: GRPC_TLS_KEY },
      "GRPC_TLS_CLIENT_CA: expected a file with a certificate in PEM form",
    ],
    [{ GRPC_TLS_KEY: GRPC_TLS_CERT }, "GRPC_TLS_KEY: expected a file with a private key in PEM form"],
    [{ GRPC_TLS_KEY }, "GRPC_TLS_CERT: it is not for the key of GRPC_TLS_KEY"],
    // Base64 without PEM markers, which looks like a path.
    [{ GRPC_TLS_KEY: "MIIEvQIBADANBgkqhkiG9w0" }, "GRPC_TLS_KEY: cannot read the file: NotFound"],
  ];
  for (const [env, why] of wrong) {
    const message = await startAndFail({
      ...production(world.database.url),
      ...TRUSTING,
      ...files.env,
      ...env,
    });
    assert.equal(message, `Cannot serve gRPC: ${why}\n`);
  }
});

function tokensOf({ jwksUrl, issuer, audience }: { jwksUrl: URL; issuer: string; audience: string }) {
  return { JWT_JWKS_URL: jwksUrl.href, JWT_ISSUER: issuer, JWT_AUDIENCE: audience };
}

async function tokenOf(
  key: Key,
  issuer: Parameters<typeof claimsFor>[0],
  ref: Parameters<typeof shopper>[0],
): Promise<string> {
  const claims = { sub: ref.id, store_id: ref.storeId, principal_type: "CUSTOMER", roles: [] };
  return await sign(key, claimsFor(issuer, claims));
}

async function writeCertificates(authority: ReturnType<typeof createAuthority>) {
  const folder = await temporaryFolder();
  const { certificate, key } = authority.issue({ dns: "localhost" });
  const env = {
    GRPC_AUTH: "mtls",
    ...PLATFORM,
    GRPC_TLS_CERT: `${folder.path}/certificate.pem`,
    GRPC_TLS_KEY: `${folder.path}/key.pem`,
    GRPC_TLS_CLIENT_CA: `${folder.path}/authority.pem`,
  };
  await Deno.writeTextFile(env.GRPC_TLS_CERT, certificate);
  await Deno.writeTextFile(env.GRPC_TLS_KEY, key);
  await Deno.writeTextFile(env.GRPC_TLS_CLIENT_CA, authority.certificate);
  return { env, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

// deno-lint-ignore no-explicit-any -- the response to any query
async function ask(port: number, query: string, headers: Record<string, string> = {}): Promise<any> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query }),
  });
  return await response.json();
}
