/** The service and its tasks with the credentials of a real PostgreSQL from a real Vault. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createWorld, register } from "../actors/world.ts";
import { createDatabase, PASSWORD, type TestDatabase } from "../database.ts";
import { gatewayHeaders, portsOf, production, TRUSTING, UNREACHABLE } from "../production.ts";
import { startAndFail, startService } from "../service.ts";
import { startVault, type VaultServer, vaultTest } from "./server.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** @returns all secrets of the service */
async function putSecrets(vault: VaultServer, { url }: Pick<TestDatabase, "url">): Promise<string[]> {
  const { host, pathname, username } = new URL(url);
  const keys = {
    "gdpr.export_key": new Uint8Array(32).fill(1).toBase64(),
    "gdpr.hash_key": new Uint8Array(32).fill(2).toBase64(),
    "gdpr.receipt_key": generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" })
      .toString(),
  };
  await vault.put("customer-service", {
    "db.url": `jdbc:postgresql://${host}${pathname}?ApplicationName=crm&connectTimeout=10`,
    "db.username": username,
    "db.password": PASSWORD,
    ...keys,
  });
  await vault.put("shared/kafka", { "bootstrap.servers": UNREACHABLE });
  return [...Object.values(keys), keys["gdpr.receipt_key"].split("\n")[1]!, `:${PASSWORD}@`];
}

vaultTest(
  "in production the service starts on Vault's database, waits while it is sealed, and prints nothing secret",
  async () => {
    await using world = await createWorld();
    const ref = await register(world, { email: "ada@example.com" });
    await using vault = await startVault();
    const secrets = await putSecrets(vault, world.database);
    await vault.seal();
    await using service = startService({
      ...production(""),
      ...TRUSTING,
      ...{ KAFKA_BROKERS: "", GDPR_EXPORT_KEY: "", GDPR_HASH_KEY: "", GDPR_RECEIPT_KEY: "" },
      VAULT_ADDR: vault.address,
      VAULT_TOKEN: vault.rootToken,
    });
    await service.waitForOutput(/Vault is sealed or not initialized: retrying for up to 60 seconds/);
    await vault.unseal();
    const { http } = await portsOf(service);

    const answer = await fetch(`http://127.0.0.1:${http}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...gatewayHeaders(ref) },
      body: JSON.stringify({ query: "{ me { email } }" }),
    });
    assert.deepEqual((await answer.json()).data, { me: { email: "ada@example.com" } });
    const [named] = await world.admin`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and application_name = 'crm'`;
    assert.ok(named?.count > 0);

    const { code, output, stderr } = await service.stop("SIGTERM");
    assert.equal(code, 0);
    assert.match(
      output,
      /Read from Vault: DATABASE_URL, GDPR_EXPORT_KEY, GDPR_HASH_KEY, GDPR_RECEIPT_KEY, KAFKA_/,
    );
    for (const secret of [...secrets, vault.rootToken]) {
      assert.ok(!`${output}${stderr}`.includes(secret), "a secret is printed");
    }
  },
);

vaultTest(
  "a start with invalid secrets in Vault names them, prints no secret and exits",
  async () => {
    await using vault = await startVault();
    const env = { VAULT_ADDR: vault.address, VAULT_TOKEN: vault.rootToken };
    await vault.put("customer-service", {
      "db.url": "jdbc:postgresql://db:tr0ub4dor/x",
      "db.password": "tr0ub4dor",
    });
    const message = await startAndFail(env);
    assert.equal(
      message,
      "Cannot start: secrets in Vault are missing or invalid\n" +
        "  ss3/kv/customer-service: db.url: expected a host name or IPv4 address, and optionally a port\n" +
        "  ss3/kv/customer-service: db.username: expected, but missing\n" +
        "  ss3/kv/shared/kafka: the secret does not exist, or is deleted\n",
    );
    const password = "tr0ub4dor";
    await vault.put("customer-service", {
      "db.url": "jdbc:postgresql://127.0.0.1:1/x",
      "db.username": "svc",
      "db.password": password,
    });
    const unreachable = await startAndFail({ ...env, KAFKA_BROKERS: UNREACHABLE });
    assert.match(unreachable, /^Cannot prepare the database: .*ECONNREFUSED/);
    assert.ok(!unreachable.includes(password));
  },
);

vaultTest("the tasks read Vault too, and tasks that use only the database need no other path", async () => {
  await using database = await createDatabase(false);
  await using vault = await startVault();
  const secrets = await putSecrets(vault, database);
  const VAULT_TOKEN = await vault.token(["customer-service"]);
  const env = { VAULT_ADDR: vault.address, VAULT_TOKEN };
  const migrated = await run(["tasks/migrate.ts"], env);
  assert.match(migrated, /^applied 0001_[^]*\nThe schema is up to date\.\n/);
  const key = await run(["tasks/receipt.ts", "key"], { ...env, VAULT_TOKEN: vault.rootToken });
  assert.match(key, /-----BEGIN PUBLIC KEY-----/);
  for (const secret of [...secrets, VAULT_TOKEN]) assert.ok(!`${migrated}${key}`.includes(secret));
});

/** Output of a task that must succeed, on both streams. */
async function run(args: string[], env: Record<string, string>): Promise<string> {
  const inherited = Object.fromEntries(["PATH", "HOME", "DENO_DIR"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...args],
    cwd: ROOT,
    clearEnv: true,
    env: { ...inherited, ...env },
  }).output();
  const decoder = new TextDecoder();
  const printed = decoder.decode(stdout) + decoder.decode(stderr);
  assert.equal(code, 0, printed);
  return printed;
}
