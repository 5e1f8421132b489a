/** Development token issuer, and the task that prints its tokens. */
import {
  DEVELOPMENT_AUDIENCE,
  DEVELOPMENT_ISSUER,
  openDevelopmentIssuer,
} from "../../auth/development_issuer.ts";
import { createTokenVerifier, type VerifiedToken } from "../../auth/token.ts";
import { ConfigError } from "../../config/mod.ts";
import { VARIABLES } from "../../config/variables.ts";
import { decodeJwt } from "jose";
import assert from "node:assert/strict";
import { assertRefused, generateKey, startIssuer, STORE, SUBJECT } from "./issuer.ts";

const TOKEN: VerifiedToken = {
  principal: { id: SUBJECT, type: "STAFF", storeId: STORE, roles: ["PRIVACY_OFFICER"] },
  service: undefined,
};

async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "customer-service-issuer-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("development issuer accepts its own tokens until they expire", async () => {
  await using folder = await temporaryFolder();
  const issuer = await openDevelopmentIssuer(folder.path);
  assert.deepEqual(await issuer.verify(await issuer.sign(TOKEN, 60)), TOKEN);
  const expired = await issuer.sign(TOKEN, -60);
  await assertRefused(issuer.verify(expired), expired, /expired/);
});

Deno.test("development issuer keeps its key between runs, for its owner only", async () => {
  await using folder = await temporaryFolder();
  const data = `${folder.path}/not/yet/there`;
  const token = await (await openDevelopmentIssuer(data)).sign(TOKEN, 60);
  assert.deepEqual(await (await openDevelopmentIssuer(data)).verify(token), TOKEN);
  if (Deno.build.os !== "windows") {
    const { mode } = await Deno.stat(`${data}/development-issuer.json`);
    assert.equal((mode ?? 0) & 0o777, 0o600);
  }
});

Deno.test("development issuers of two folders do not accept each other's tokens", async () => {
  await using one = await temporaryFolder();
  await using other = await temporaryFolder();
  const token = await (await openDevelopmentIssuer(one.path)).sign(TOKEN, 60);
  await assertRefused(
    (await openDevelopmentIssuer(other.path)).verify(token),
    token,
    /its signature is not|publishes no key/,
  );
});

Deno.test("development issuers that start at once end with one key", async () => {
  await using folder = await temporaryFolder();
  const issuers = await Promise.all(Array.from({ length: 20 }, () => openDevelopmentIssuer(folder.path)));
  for (const issuer of issuers) {
    const token = await issuer.sign(TOKEN, 60);
    for (const other of issuers) assert.deepEqual(await other.verify(token), TOKEN);
  }
  const files = await Array.fromAsync(Deno.readDir(folder.path), ({ name }) => name);
  assert.deepEqual(files, ["development-issuer.json"]);
});

Deno.test("development issuer refuses a file without a key and names it", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/development-issuer.json`;
  for (const content of ["", "{", "[]", `{"kid":"a","kty":"oct","k":"c2VjcmV0"}`]) {
    await Deno.writeTextFile(path, content);
    await assert.rejects(
      openDevelopmentIssuer(folder.path),
      (error) => error instanceof ConfigError && error.message.includes(path),
    );
  }
});

Deno.test("a production verifier refuses the development issuer's tokens", async () => {
  await using folder = await temporaryFolder();
  const token = await (await openDevelopmentIssuer(folder.path)).sign(TOKEN, 60);
  await using issuer = startIssuer(await generateKey("EdDSA"));
  await assertRefused(createTokenVerifier(issuer)(token), token, /its signature is not|publishes no key/);
  const sameNames = { ...issuer, issuer: DEVELOPMENT_ISSUER, audience: DEVELOPMENT_AUDIENCE };
  await assertRefused(createTokenVerifier(sameNames)(token), token, /its signature is not|publishes no key/);
});

Deno.test("token task prints one token, which the service accepts", async () => {
  await using folder = await temporaryFolder();
  // Also covers first starts at the same time, in separate processes.
  const [customer, staff, service, demo] = await Promise.all([
    tokenTask(folder.path, "customer", SUBJECT, STORE),
    tokenTask(folder.path, "staff", STORE, "CUSTOMER_SUPPORT", "CUSTOMER_MANAGER", "--ttl", "15m"),
    tokenTask(folder.path, "service", "cart-service", STORE),
    tokenTask(folder.path, "customer"),
  ]);
  const { verify } = await openDevelopmentIssuer(folder.path);
  for (const { code, stdout } of [customer, staff, service, demo]) {
    assert.equal(code, 0);
    assert.match(stdout, /^[\w.-]+\n$/);
    await verify(stdout.trim());
  }
  const { authenticatedAt, ...shopper } = (await verify(customer.stdout.trim())).principal;
  assert.ok(authenticatedAt && Date.now() - authenticatedAt.getTime() < 60_000);
  assert.deepEqual(shopper, {
    id: SUBJECT,
    type: "CUSTOMER",
    storeId: STORE,
    roles: [],
  });
  const { roles, type } = (await verify(staff.stdout.trim())).principal;
  assert.deepEqual([type, ...roles], ["STAFF", "CUSTOMER_SUPPORT", "CUSTOMER_MANAGER"]);
  const { iat = 0, exp = 0 } = decodeJwt(staff.stdout.trim());
  assert.equal(exp - iat, 15 * 60);
  assert.equal((await verify(service.stdout.trim())).service, "cart-service");
});

Deno.test("token task reports wrong usage in one sentence and exits with 1", async (t) => {
  await using folder = await temporaryFolder();
  const wrong = [
    [],
    ["admin"],
    ["service"],
    ["customer", "not-a-uuid"],
    ["customer", SUBJECT, STORE, "more"],
    ["staff", STORE, "KING"],
    ["customer", "--ttl", "soon"],
    ["customer", "--for", "ever"],
  ];
  await Promise.all(wrong.map(async (args) => {
    const { code, stdout, stderr } = await tokenTask(folder.path, ...args);
    assert.equal(code, 1, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, /^Cannot [^\n]+\n$/);
  }));
  await t.step("and generates no key", async () => {
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder.path)), []);
  });
});

Deno.test("token task prints its usage", async () => {
  const { code, stdout } = await tokenTask("unused", "--help");
  assert.equal(code, 0);
  for (const word of ["customer", "staff", "service", "--ttl", "STORE_MANAGER"]) {
    assert.ok(stdout.includes(word));
  }
});

Deno.test("token task issues nothing if another issuer is configured", async () => {
  await using folder = await temporaryFolder();
  const { code, stdout, stderr } = await run(["customer"], {
    DATA_DIR: folder.path,
    JWT_JWKS_URL: "https://identity.example/jwks.json",
    JWT_ISSUER: "https://identity.example",
    JWT_AUDIENCE: "customer-service",
  });
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^Cannot issue a token: [^\n]+\n$/);
});

function tokenTask(dataDirectory: string, ...args: string[]) {
  return run(args, { DATA_DIR: dataDirectory });
}

async function run(args: string[], env: Record<string, string>) {
  const script = new URL("../../tasks/token.ts", import.meta.url).href;
  const unset = Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, ""]));
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", script, ...args],
    env: { ...unset, ...env },
  });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
