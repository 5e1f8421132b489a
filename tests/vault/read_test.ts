/** Reading variables from a real Vault, and each error. */
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

interface VaultResult {
  values: Record<string, string>;
  notes: string;
}

async function read(env: Environment, variables?: readonly string[]): Promise<VaultResult> {
  const notes: string[] = [];
  const report = (text: string) => void notes.push(text);
  const values = await readVault(env, variables ? { report, variables } : { report });
  assert.ok(!notes.join().includes(SECRET));
  return { values, notes: notes.join("\n") };
}

/** The error message and the notes, which contain no secret. */
async function refusal(env: Environment, hidden: readonly string[] = []): Promise<string> {
  const notes: string[] = [];
  try {
    await readVault({ VAULT_WAIT: "0s", ...env }, { report: (text) => void notes.push(text) });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    for (const secret of [SECRET, env.VAULT_TOKEN, ...hidden]) {
      assert.ok(!secret || !`${error.stack}${Deno.inspect(error)}${notes}`.includes(secret), error.message);
    }
    return error.message;
  }
  assert.fail("Vault supplied the variables");
}

async function startWithSecrets(): Promise<
  VaultServer & { env: { VAULT_ADDR: string; VAULT_TOKEN: string } }
> {
  const vault = await startVault();
  await vault.put("customer-service", CUSTOMER_SERVICE);
  await vault.put("shared/kafka", KAFKA);
  await vault.put("shared/otel", OTEL);
  return Object.assign(vault, {
    env: { VAULT_ADDR: vault.address, VAULT_TOKEN: await vault.token(EVERYTHING) },
  });
}

Deno.test("without VAULT_ADDR no variable is read", async () => {
  assert.deepEqual((await read({ VAULT_ADDR: "", VAULT_TOKEN: SECRET })).values, {});
});

Deno.test("invalid variables are named before any request to Vault", async () => {
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
  "with a token, Vault supplies the missing variables, and the environment takes precedence",
  async (t) => {
    await using vault = await startWithSecrets();

    await t.step(
      "all variables, and an environment that keeps child processes from reading again",
      async () => {
        const { values, notes } = await read(vault.env);
        assert.deepEqual(values, {
          DATABASE_URL,
          GDPR_EXPORT_KEY: CUSTOMER_SERVICE["gdpr.export_key"],
          KAFKA_BROKERS: KAFKA["bootstrap.servers"],
          KAFKA_SSL: "false",
          OTEL_EXPORTER_OTLP_ENDPOINT: OTEL["otlp.endpoint"],
          VAULT_ADDR: "",
          VAULT_TOKEN: "",
        });
        assert.match(notes, /^ss3\/kv\/customer-service: db\.url: connectTimeout: ignored/);
        assert.match(
          notes,
          /Read from Vault: DATABASE_URL, GDPR_EXPORT_KEY, KAFKA_BROKERS, KAFKA_SSL, OTEL_/,
        );
        assert.equal(readConfig({ ...vault.env, ...values }).databaseUrl, DATABASE_URL);
        assert.deepEqual((await read({ ...vault.env, ...values })).values, {});
      },
    );

    await t.step("a variable that is set is not read, an empty one is", async () => {
      const own = {
        DATABASE_URL: "postgres://own/db",
        KAFKA_BROKERS: "own:1",
        OTEL_EXPORTER_OTLP_ENDPOINT: "",
      };
      const { values } = await read({ ...vault.env, ...own });
      assert.deepEqual(Object.keys(values), [
        "GDPR_EXPORT_KEY",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "VAULT_ADDR",
        "VAULT_TOKEN",
      ]);
    });

    await t.step("the other Kafka settings are not read either", async () => {
      const { values } = await read({ ...vault.env, KAFKA_SSL: "true" });
      assert.deepEqual([values.KAFKA_BROKERS, values.KAFKA_SSL], [KAFKA["bootstrap.servers"], undefined]);
    });

    await t.step("a path without missing or required variables needs no policy", async () => {
      const VAULT_TOKEN = await vault.token(["customer-service"]);
      const env = { ...vault.env, VAULT_TOKEN };
      assert.equal((await read(env, ["DATABASE_URL"])).values.DATABASE_URL, DATABASE_URL);
      const { values } = await read({
        ...env,
        KAFKA_BROKERS: "own:1",
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://own",
      });
      assert.equal(values.DATABASE_URL, DATABASE_URL);
      assert.match(await refusal(env), /shared\/kafka: not permitted.*\n.*shared\/otel: not permitted/);
    });

    await t.step("a login for Kafka becomes KAFKA_SSL and KAFKA_SASL", async () => {
      const login = {
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "customers",
        "sasl.password": SECRET,
      };
      await vault.put("shared/kafka", { ...KAFKA, "security.protocol": "SASL_SSL", ...login });
      const { values } = await read(vault.env);
      assert.deepEqual(readConfig({ ...vault.env, ...values }).kafka, {
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
    await using vault = await startWithSecrets();

    await t.step("keys", async () => {
      await vault.put("customer-service", { "db.url": `jdbc:mysql://${SECRET}`, "gdpr.hash_key": SECRET });
      await vault.put("shared/kafka", { "bootstrap.servers": SECRET });
      await vault.put("shared/otel", { "otlp.endpoint": `http://user:${SECRET}@collector` });
      assert.deepEqual((await refusal(vault.env)).split("\n  "), [
        "Cannot start: secrets in Vault are missing or invalid",
        "ss3/kv/customer-service: db.url: expected jdbc:postgresql://host:port/name?…, percent-encoded",
        "ss3/kv/customer-service: gdpr.hash_key: expected at least 32 bytes in base64, or several keys, comma-separated, the current one first",
        "ss3/kv/shared/kafka: bootstrap.servers: expected host:port,…",
        "ss3/kv/shared/otel: otlp.endpoint: expected an http or https URL without credentials",
      ]);
      await vault.put("customer-service", { "db.password": 42 });
      await vault.put("shared/kafka", {});
      await vault.put("shared/otel", {});
      assert.deepEqual((await refusal(vault.env)).split("\n  ").slice(1), [
        "ss3/kv/customer-service: db.url: expected, but missing",
        "ss3/kv/customer-service: db.username: expected, but missing",
        "ss3/kv/customer-service: db.password: expected, but missing",
        "ss3/kv/shared/kafka: bootstrap.servers: expected host:port,…, but missing",
      ]);
    });

    await t.step("paths, one of them deleted; telemetry may be absent", async () => {
      await vault.call("DELETE", `${ENGINE}/metadata/customer-service`);
      await vault.call("DELETE", `${ENGINE}/data/shared/kafka`);
      await vault.call("DELETE", `${ENGINE}/metadata/shared/otel`);
      assert.deepEqual((await refusal(vault.env)).split("\n  ").slice(1), [
        "ss3/kv/customer-service: the secret does not exist, or is deleted",
        "ss3/kv/shared/kafka: the secret does not exist, or is deleted",
      ]);
      const own = { DATABASE_URL: "postgres://own/db", KAFKA_BROKERS: "own:1" };
      const { values } = await read({ ...vault.env, ...own });
      assert.deepEqual(values, { VAULT_ADDR: "", VAULT_TOKEN: "" });
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
    await using vault = await startWithSecrets();
    const refused =
      /^Cannot read from Vault: the token is invalid, has expired, or may not call lookup-self$/;
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
  await using vault = await startWithSecrets();
  await vault.call("POST", "sys/namespaces/shop");
  await vault.call("POST", `sys/mounts/${ENGINE}`, { type: "kv", options: { version: "2" } }, "shop");
  await vault.put(
    "customer-service",
    { ...CUSTOMER_SERVICE, "db.url": "jdbc:postgresql://shop/customers" },
    "shop",
  );
  const env = { ...vault.env, VAULT_TOKEN: vault.rootToken, KAFKA_BROKERS: "own:1" };
  const { values } = await read({ ...env, VAULT_NAMESPACE: "shop" });
  assert.match(values.DATABASE_URL ?? "", /@shop\/customers/);
  assert.equal(values.VAULT_NAMESPACE, "");
  assert.equal(
    await refusal({ ...env, VAULT_NAMESPACE: "nowhere" }),
    "Cannot read from Vault: VAULT_NAMESPACE: the namespace does not exist",
  );
});

vaultTest("a start retries while Vault is sealed, and continues once it is unsealed", async () => {
  await using vault = await startWithSecrets();
  await vault.seal();
  assert.equal(
    await refusal(vault.env),
    "Cannot read from Vault: Vault is sealed or not initialized; gave up after 0 seconds",
  );
  const { report, noted } = listener();
  const reading = readVault({ ...vault.env, VAULT_WAIT: "60s" }, { report });
  assert.match(await noted, /^Vault is sealed or not initialized: retrying for up to \d\d seconds$/);
  await vault.unseal();
  assert.equal((await reading).DATABASE_URL, DATABASE_URL);
});

vaultTest("a start retries while Vault is not reachable", async () => {
  const port = freePort();
  const VAULT_ADDR = `http://127.0.0.1:${port}`;
  const env = { VAULT_ADDR, VAULT_TOKEN: "later", KAFKA_BROKERS: "own:1" };
  assert.match(
    await refusal(env),
    /^Cannot read from Vault: Vault at http:.* cannot be reached \(.*refused.*\); gave up/,
  );
  const { report, noted } = listener();
  const reading = readVault({ ...env, VAULT_WAIT: "60s" }, { report });
  reading.catch(() => {});
  assert.match(
    await noted,
    /^Vault at http:\/\/127\.0\.0\.1:\d+ cannot be reached \(.*\): retrying for up to/,
  );
  await using _vault = await startVault({ port });
  await assert.rejects(reading, /the token is invalid/);
});

vaultTest("over TLS the certificate is verified, also with a configured authority", async () => {
  await using vault = await startVault({ tls: true });
  await vault.put("customer-service", CUSTOMER_SERVICE);
  const env = { VAULT_ADDR: vault.address, VAULT_TOKEN: vault.rootToken, KAFKA_BROKERS: "own:1" };
  const { values } = await read({ ...env, VAULT_CACERT: vault.authority });
  assert.equal(values.DATABASE_URL, DATABASE_URL);
  assert.match(
    await refusal({ ...env, VAULT_WAIT: "1h" }),
    /^Cannot read from Vault: the certificate of https:.* is invalid/,
  );
  assert.match(
    await refusal({ ...env, VAULT_CACERT: import.meta.filename! }),
    /VAULT_CACERT: expected a file with/,
  );
});

Deno.test("a server other than Vault is an error at once, and a redirect receives no token", async () => {
  const requests: Request[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    requests.push(request);
    return request.url.includes("/moved/")
      ? Response.redirect(new URL("/elsewhere", request.url), 307)
      : new Response("<html>", { status: 404 });
  });
  const VAULT_ADDR = `http://127.0.0.1:${server.addr.port}`;
  const env = { VAULT_TOKEN: SECRET, VAULT_WAIT: "1h" };
  assert.equal(
    await refusal({ ...env, VAULT_ADDR }),
    "Cannot read from Vault: the server at VAULT_ADDR (HTTP 404) is not Vault",
  );
  assert.match(
    await refusal({ ...env, VAULT_ADDR: `${VAULT_ADDR}/moved` }),
    /redirects to another address \(HTTP 307\)/,
  );
  assert.deepEqual(requests.map(({ url }) => new URL(url).pathname), [
    "/v1/ss3/kv/data/customer-service",
    "/moved/v1/ss3/kv/data/customer-service",
  ]);
});

Deno.test("a request that Vault does not answer times out", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const env = { VAULT_ADDR: `http://127.0.0.1:${silent.addr.port}`, VAULT_TOKEN: SECRET };
  assert.match(
    await refusal(env),
    /^Cannot read from Vault: Vault at http:.* does not respond within 5 seconds; gave up/,
  );
});

/** Captures the first progress report. */
function listener() {
  const { promise: noted, resolve: report } = Promise.withResolvers<string>();
  return { report, noted };
}
