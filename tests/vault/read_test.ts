/** What a start takes from a real Vault, and what it says when it gets nothing. */
import assert from "node:assert/strict";
import { ConfigError, readConfig } from "../../config/mod.ts";
import type { Environment } from "../../config/variables.ts";
import { readVault } from "../../config/vault.ts";
import { eventually } from "../eventually.ts";
import { freePort } from "../ports.ts";
import { ENGINE, startVault, type VaultServer, vaultTest } from "./server.ts";

const SECRET = "tr0ub4dor-and-3";
const CUSTOMER_SERVICE = {
  "db.url": "jdbc:postgresql://db.example:6432/customers?ssl=true&connectTimeout=10",
  "db.username": "customer_service",
  "db.password": `${SECRET}@/?`,
  "gdpr.export_key": new Uint8Array(32).fill(1).toBase64(),
};
const KAFKA = { "bootstrap.servers": "kafka-1.example:9092,kafka-2.example:9093" };
const OTEL = { "otlp.endpoint": "http://collector.example:4318" };
const DATABASE_URL = `postgres://customer_service:${
  encodeURIComponent(CUSTOMER_SERVICE["db.password"])
}@db.example:6432/customers?sslmode=verify-full`;
const EVERYTHING = ["customer-service", "shared/kafka", "shared/otel"];

interface Told {
  given: Record<string, string>;
  notes: string;
}

async function read(env: Environment, wanted?: readonly string[]): Promise<Told> {
  const notes: string[] = [];
  const tell = (text: string) => void notes.push(text);
  const given = await readVault(env, wanted ? { tell, wanted } : { tell });
  assert.ok(!notes.join().includes(SECRET));
  return { given, notes: notes.join("\n") };
}

/** What it says when it fails; never with a secret. */
async function refusal(env: Environment, hidden: readonly string[] = []): Promise<string> {
  const notes: string[] = [];
  try {
    await readVault({ VAULT_WAIT: "0s", ...env }, { tell: (text) => void notes.push(text) });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    for (const secret of [SECRET, env.VAULT_TOKEN, ...hidden]) {
      assert.ok(!secret || !`${error.stack}${Deno.inspect(error)}${notes}`.includes(secret), error.message);
    }
    return error.message;
  }
  assert.fail("Vault has given what was asked");
}

async function startFilled(): Promise<VaultServer & { env: { VAULT_ADDR: string; VAULT_TOKEN: string } }> {
  const vault = await startVault();
  await vault.put("customer-service", CUSTOMER_SERVICE);
  await vault.put("shared/kafka", KAFKA);
  await vault.put("shared/otel", OTEL);
  return Object.assign(vault, {
    env: { VAULT_ADDR: vault.address, VAULT_TOKEN: await vault.token(EVERYTHING) },
  });
}

Deno.test("without VAULT_ADDR nobody is asked", async () => {
  assert.deepEqual((await read({ VAULT_ADDR: "", VAULT_TOKEN: SECRET })).given, {});
});

Deno.test("variables that are wrong are named before Vault is asked, whatever they are about", async () => {
  const message = await refusal({ VAULT_ADDR: "vault:8200", HTTP_PORT: "http", PEER_A_URL: "a" });
  for (const name of ["VAULT_ADDR", "HTTP_PORT", "PEER_A_URL"]) {
    assert.match(message, new RegExp(`^  ${name}: `, "m"));
  }
  assert.match(
    await refusal({ VAULT_ADDR: "http://127.0.0.1:1" }),
    /VAULT_TOKEN: expected a token, or VAULT_K8S_ROLE/,
  );
});

vaultTest(
  "with a token, what the environment lacks comes from Vault, and the environment beats it",
  async (t) => {
    await using vault = await startFilled();

    await t.step("everything, and an environment for processes that do not ask again", async () => {
      const { given, notes } = await read(vault.env);
      assert.deepEqual(given, {
        DATABASE_URL,
        GDPR_EXPORT_KEY: CUSTOMER_SERVICE["gdpr.export_key"],
        KAFKA_BROKERS: KAFKA["bootstrap.servers"],
        KAFKA_SSL: "false",
        OTEL_EXPORTER_OTLP_ENDPOINT: OTEL["otlp.endpoint"],
        VAULT_ADDR: "",
        VAULT_TOKEN: "",
      });
      assert.match(notes, /^ss3\/kv\/customer-service: db\.url: connectTimeout: not used/);
      assert.match(notes, /Vault has given DATABASE_URL, GDPR_EXPORT_KEY, KAFKA_BROKERS, KAFKA_SSL, OTEL_/);
      assert.equal(readConfig({ ...vault.env, ...given }).databaseUrl, DATABASE_URL);
      assert.deepEqual((await read({ ...vault.env, ...given })).given, {});
    });

    await t.step("a variable that is set is not looked for, an empty one is", async () => {
      const own = {
        DATABASE_URL: "postgres://own/db",
        KAFKA_BROKERS: "own:1",
        OTEL_EXPORTER_OTLP_ENDPOINT: "",
      };
      const { given } = await read({ ...vault.env, ...own });
      assert.deepEqual(Object.keys(given), [
        "GDPR_EXPORT_KEY",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "VAULT_ADDR",
        "VAULT_TOKEN",
      ]);
    });

    await t.step("what stands beside the brokers gives way too", async () => {
      const { given } = await read({ ...vault.env, KAFKA_SSL: "true" });
      assert.deepEqual([given.KAFKA_BROKERS, given.KAFKA_SSL], [KAFKA["bootstrap.servers"], undefined]);
    });

    await t.step("a path of which nothing is lacking, or wanted, needs no policy", async () => {
      const VAULT_TOKEN = await vault.token(["customer-service"]);
      const env = { ...vault.env, VAULT_TOKEN };
      assert.equal((await read(env, ["DATABASE_URL"])).given.DATABASE_URL, DATABASE_URL);
      const { given } = await read({
        ...env,
        KAFKA_BROKERS: "own:1",
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://own",
      });
      assert.equal(given.DATABASE_URL, DATABASE_URL);
      assert.match(await refusal(env), /shared\/kafka: not permitted.*\n.*shared\/otel: not permitted/);
    });

    await t.step("a login for Kafka becomes KAFKA_SSL and KAFKA_SASL", async () => {
      const login = {
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "customers",
        "sasl.password": SECRET,
      };
      await vault.put("shared/kafka", { ...KAFKA, "security.protocol": "SASL_SSL", ...login });
      const { given } = await read(vault.env);
      assert.deepEqual(readConfig({ ...vault.env, ...given }).kafka, {
        brokers: KAFKA["bootstrap.servers"].split(","),
        ssl: true,
        sasl: { mechanism: "scram-sha-512", username: "customers", password: SECRET },
        partitions: 12,
        replicationFactor: 1,
      });
      await vault.put("shared/kafka", { ...KAFKA, ...login });
      assert.match(await refusal(vault.env), /security\.protocol: expected SASL_SSL or SASL_PLAINTEXT/);
      await vault.put("shared/kafka", { ...KAFKA, "security.protocol": "SASL_PLAINTEXT" });
      assert.match(await refusal(vault.env), /sasl\.mechanism: .*\n.*sasl\.username: .*\n.*sasl\.password: /);
      await vault.put("shared/kafka", { ...KAFKA, "security.protocol": `SSL-${SECRET}` });
      assert.match(await refusal(vault.env), /security\.protocol: expected PLAINTEXT, SSL/);
    });
  },
);

vaultTest(
  "what is missing or wrong in Vault is named at once, by path and key, and never quoted",
  async (t) => {
    await using vault = await startFilled();

    await t.step("keys", async () => {
      await vault.put("customer-service", { "db.url": `jdbc:mysql://${SECRET}`, "gdpr.hash_key": SECRET });
      await vault.put("shared/kafka", { "bootstrap.servers": SECRET });
      await vault.put("shared/otel", { "otlp.endpoint": `http://user:${SECRET}@collector` });
      assert.deepEqual((await refusal(vault.env)).split("\n  "), [
        "Cannot start: Vault does not have what is expected",
        "ss3/kv/customer-service: db.url: expected jdbc:postgresql://host:port/name?…, percent-encoded",
        "ss3/kv/customer-service: gdpr.hash_key: expected at least 32 bytes in base64",
        "ss3/kv/shared/kafka: bootstrap.servers: expected host:port,…",
        "ss3/kv/shared/otel: otlp.endpoint: expected an http or https URL without a login",
      ]);
      await vault.put("customer-service", { "db.password": 42 });
      await vault.put("shared/kafka", {});
      await vault.put("shared/otel", {});
      assert.deepEqual((await refusal(vault.env)).split("\n  ").slice(1), [
        "ss3/kv/customer-service: db.url: expected, there is none",
        "ss3/kv/customer-service: db.username: expected, there is none",
        "ss3/kv/customer-service: db.password: expected, there is none",
        "ss3/kv/shared/kafka: bootstrap.servers: expected host:port,…, there is none",
      ]);
    });

    await t.step("paths, one of them deleted; telemetry may be absent", async () => {
      await vault.call("DELETE", `${ENGINE}/metadata/customer-service`);
      await vault.call("DELETE", `${ENGINE}/data/shared/kafka`);
      await vault.call("DELETE", `${ENGINE}/metadata/shared/otel`);
      assert.deepEqual((await refusal(vault.env)).split("\n  ").slice(1), [
        "ss3/kv/customer-service: nothing is there, or it is deleted",
        "ss3/kv/shared/kafka: nothing is there, or it is deleted",
      ]);
      const own = { DATABASE_URL: "postgres://own/db", KAFKA_BROKERS: "own:1" };
      const { given } = await read({ ...vault.env, ...own });
      assert.deepEqual(given, { VAULT_ADDR: "", VAULT_TOKEN: "" });
    });

    await t.step("the engine", async () => {
      await vault.call("DELETE", `sys/mounts/${ENGINE}`);
      const env = { ...vault.env, VAULT_TOKEN: vault.rootToken };
      assert.match(
        await refusal(env),
        /customer-service: nothing is mounted at ss3\/kv\n.*kafka: nothing is mounted/,
      );
    });
  },
);

vaultTest(
  "a token that is wrong, has expired or may nothing is refused at once, however long it might wait",
  async () => {
    await using vault = await startFilled();
    const refused =
      /^Cannot read from Vault: the token is wrong, has expired, or may not even look at itself$/;
    const VAULT_WAIT = "1h";
    assert.match(await refusal({ ...vault.env, VAULT_WAIT, VAULT_TOKEN: SECRET }), refused);
    const short = await vault.token(EVERYTHING, { ttl: "1s" });
    await eventually(async () => {
      assert.match(await refusal({ ...vault.env, VAULT_WAIT, VAULT_TOKEN: short }), refused);
    });
    const nothing = await vault.token(["elsewhere"], { no_default_policy: true });
    assert.match(await refusal({ ...vault.env, VAULT_WAIT, VAULT_TOKEN: nothing }), refused);
  },
);

vaultTest("a namespace has secrets of its own", async () => {
  await using vault = await startFilled();
  await vault.call("POST", "sys/namespaces/shop");
  await vault.call("POST", `sys/mounts/${ENGINE}`, { type: "kv", options: { version: "2" } }, "shop");
  await vault.put(
    "customer-service",
    { ...CUSTOMER_SERVICE, "db.url": "jdbc:postgresql://shop/customers" },
    "shop",
  );
  const env = { ...vault.env, VAULT_TOKEN: vault.rootToken, KAFKA_BROKERS: "own:1" };
  const { given } = await read({ ...env, VAULT_NAMESPACE: "shop" });
  assert.match(given.DATABASE_URL ?? "", /@shop\/customers/);
  assert.equal(given.VAULT_NAMESPACE, "");
  assert.equal(
    await refusal({ ...env, VAULT_NAMESPACE: "nowhere" }),
    "Cannot read from Vault: VAULT_NAMESPACE: there is no such namespace",
  );
});

vaultTest("a Vault that is sealed is waited for, and the start goes on once it is unsealed", async () => {
  await using vault = await startFilled();
  await vault.seal();
  assert.equal(
    await refusal(vault.env),
    "Cannot go on: Vault is sealed or not initialized, and has been waited for 0 seconds",
  );
  const { tell, noted } = listener();
  const reading = readVault({ ...vault.env, VAULT_WAIT: "60s" }, { tell });
  assert.match(await noted, /^Vault is sealed or not initialized: waiting for up to \d\d seconds$/);
  await vault.unseal();
  assert.equal((await reading).DATABASE_URL, DATABASE_URL);
});

vaultTest("a Vault that is not there yet is waited for", async () => {
  const port = freePort();
  const VAULT_ADDR = `http://127.0.0.1:${port}`;
  const env = { VAULT_ADDR, VAULT_TOKEN: "later", KAFKA_BROKERS: "own:1" };
  assert.match(
    await refusal(env),
    /^Cannot go on: Vault at http:.* cannot be reached \(.*refused.*\), and has/,
  );
  const { tell, noted } = listener();
  const reading = readVault({ ...env, VAULT_WAIT: "60s" }, { tell });
  reading.catch(() => {});
  assert.match(
    await noted,
    /^Vault at http:\/\/127\.0\.0\.1:\d+ cannot be reached \(.*\): waiting for up to/,
  );
  await using _vault = await startVault({ port });
  await assert.rejects(reading, /the token is wrong/);
});

vaultTest("over TLS its certificate is checked, with an authority of one's own", async () => {
  await using vault = await startVault({ tls: true });
  await vault.put("customer-service", CUSTOMER_SERVICE);
  const env = { VAULT_ADDR: vault.address, VAULT_TOKEN: vault.rootToken, KAFKA_BROKERS: "own:1" };
  const { given } = await read({ ...env, VAULT_CACERT: vault.authority });
  assert.equal(given.DATABASE_URL, DATABASE_URL);
  assert.match(
    await refusal({ ...env, VAULT_WAIT: "1h" }),
    /^Cannot read from Vault: https:.* shows a certificate/,
  );
  assert.match(
    await refusal({ ...env, VAULT_CACERT: import.meta.filename! }),
    /VAULT_CACERT: expected a file with/,
  );
});

Deno.test("what answers and is no Vault is told at once, and a redirect gets no token", async () => {
  const asked: Request[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    asked.push(request);
    return request.url.includes("/moved/")
      ? Response.redirect(new URL("/elsewhere", request.url), 307)
      : new Response("<html>", { status: 404 });
  });
  const VAULT_ADDR = `http://127.0.0.1:${server.addr.port}`;
  const env = { VAULT_TOKEN: SECRET, VAULT_WAIT: "1h" };
  assert.equal(
    await refusal({ ...env, VAULT_ADDR }),
    "Cannot read from Vault: what answers at VAULT_ADDR (HTTP 404) is no Vault",
  );
  assert.match(
    await refusal({ ...env, VAULT_ADDR: `${VAULT_ADDR}/moved` }),
    /sends to another address \(HTTP 307\)/,
  );
  assert.deepEqual(asked.map(({ url }) => new URL(url).pathname), [
    "/v1/ss3/kv/data/customer-service",
    "/moved/v1/ss3/kv/data/customer-service",
  ]);
});

Deno.test("a Vault that takes a question and keeps silent is given up", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const env = { VAULT_ADDR: `http://127.0.0.1:${silent.addr.port}`, VAULT_TOKEN: SECRET };
  assert.match(
    await refusal(env),
    /^Cannot go on: Vault at http:.* does not answer within 5 seconds, and/,
  );
});

/** The first sentence about progress. */
function listener() {
  const { promise: noted, resolve: tell } = Promise.withResolvers<string>();
  return { tell, noted };
}
