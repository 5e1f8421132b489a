/** Configuration of an empty, a complete and an invalid environment. */
import { SERVICE_RIGHTS } from "../../domain/service_rights.ts";
import { ConfigError, readConfig } from "../../config/mod.ts";
import { type Environment, VARIABLES } from "../../config/variables.ts";
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";

const SECRET = "tr0ub4dor-and-3";
/** SubjectPublicKeyInfo of an Ed25519 key, that of RFC 8032's first test. */
const SPKI = Uint8Array.fromHex(
  "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
);

const PRODUCTION: Environment = {
  DENO_ENV: "production",
  DATABASE_URL: "postgresql://service:secret@db.example:5432/customers",
  TRUSTED_PROXIES: "0",
  KAFKA_BROKERS: "kafka-1.example:9092, kafka-2.example:9093",
  JWT_JWKS_URL: "https://id.example/jwks.json",
  JWT_ISSUER: "https://id.example",
  JWT_AUDIENCE: "customer-service",
  GDPR_EXPORT_KEY: new Uint8Array(32).fill(1).toBase64(),
  GDPR_HASH_KEY: new Uint8Array(48).fill(2).toBase64(),
  GDPR_RECEIPT_KEY: pkcs8("ed25519").toBase64(),
  PEER_ORDER_SERVICE_URL: "https://order-service.example:50051",
  PEER_PAYMENT_SERVICE_URL: "https://payment-service.example",
  PEER_COMMUNICATION_SERVICE_URL: "https://communication-service.example:50051",
};
const IDENTITIES = { GRPC_TRUST_DOMAIN: "cluster.local", GRPC_CALLER_NAMESPACES: "shop" };
const GATEWAY_SECRET = "0123456789abcdef".repeat(2);

function pkcs8(type: "ed25519" | "x25519"): Uint8Array {
  const { privateKey } = type === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("x25519");
  return new Uint8Array(privateKey.export({ format: "der", type: "pkcs8" }));
}

function pem(der: Uint8Array): string {
  return `-----BEGIN PRIVATE KEY-----\n${der.toBase64()}\n-----END PRIVATE KEY-----\n`;
}

/** Names of the invalid variables in the error of `env`, in its order. */
function refused(env: Environment): string[] {
  return linesOf(env).map((line) => line.split(":")[0] ?? "");
}

function linesOf(env: Environment): string[] {
  const message = messageOf(env);
  return message.split("\n").slice(1).map((line) => line.trim());
}

function messageOf(env: Environment): string {
  try {
    readConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  assert.fail("the environment was accepted");
}

Deno.test("configuration of an empty environment is a development service on the loopback interface", () => {
  assert.deepEqual(readConfig({ HTTP_PORT: "" }), {
    production: false,
    roles: "all",
    bind: "127.0.0.1",
    httpPort: 4000,
    grpcPort: 50051,
    workers: 1,
    maxInFlight: 1_000,
    grpcMaxInFlight: 1_000,
    shutdownDelayMs: 0,
    http: { trustedProxies: 0, ratePerPrincipal: 12_000, ratePerAddress: 24_000, corsOrigins: [] },
    databaseUrl: undefined,
    databaseDirectUrl: undefined,
    databaseReadUrl: undefined,
    databaseReadMaxLagMs: 5_000,
    databaseWaitMs: 60_000,
    databasePoolSize: 10,
    dataDirectory: ".data",
    kafka: undefined,
    outboxRetentionMs: 7 * 86_400_000,
    eventFormat: "protobuf",
    eventSource: "/customer-service",
    auth: { mode: "jwt", tokens: { from: "development" }, clients: {} },
    grpcAuth: { mode: "token", clients: {} },
    grpcTls: undefined,
    grpcCallers: {
      GetCustomerGroups: ["cart-service", "shipping-service", "marketing-service", "storefront-engine"],
      GetCustomerSnapshot: ["checkout-service"],
      ConfirmErasure: ["order-service", "payment-service", "communication-service"],
      GetNotice: ["communication-service"],
      ConfirmNotice: ["communication-service"],
    },
    restCallers: SERVICE_RIGHTS,
    gdpr: {
      participants: ["order-service", "payment-service", "communication-service"],
      markerFile: undefined,
      graceMs: 72 * 60 * 60 * 1_000,
      maxSignInAgeMs: 900_000,
      fourEyes: false,
      fetchWaitMs: 7 * 24 * 60 * 60 * 1_000,
      peers: {},
      peerAccess: {},
      peerKeys: {},
      keys: { exportKey: undefined, hashKeys: undefined, receiptKey: undefined, receiptPublicKeys: [] },
    },
  });
});

Deno.test("configuration contains every variable that is set", () => {
  const config = readConfig({
    ...PRODUCTION,
    BIND: "::1",
    HTTP_PORT: "0",
    GRPC_PORT: "0",
    MAX_IN_FLIGHT: "250",
    GRPC_MAX_IN_FLIGHT: "500",
    SHUTDOWN_DELAY: "10s",
    DATABASE_DIRECT_URL: "postgres://customer:x@primary.example:5432/customers",
    DATABASE_READ_URL: "postgres://reader:x@replica.example:5432/customers",
    DATABASE_READ_MAX_LAG: "2s",
    DATABASE_WAIT: "5m",
    DB_POOL_SIZE: "25",
    TRUSTED_PROXIES: "2",
    RATE_LIMIT_PRINCIPAL: "0",
    RATE_LIMIT_ADDRESS: "60",
    CORS_ORIGINS: "https://admin.example",
    DATA_DIR: "/var/lib/customer-service",
    KAFKA_SSL: "true",
    KAFKA_SSL_CA: "/tls/kafka.crt",
    KAFKA_SSL_CERT: "/tls/tls.crt",
    KAFKA_SSL_KEY: "/tls/tls.key",
    KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
    KAFKA_SASL_USERNAME: "customers",
    KAFKA_SASL_PASSWORD: SECRET,
    KAFKA_PARTITIONS: "48",
    KAFKA_REPLICATION_FACTOR: "2",
    OUTBOX_RETENTION_DAYS: "30",
    EVENT_FORMAT: "json",
    EVENT_SOURCE: "//shop.example/eu/customer-service",
    JWT_JWKS_CA: "/tls/issuer.crt",
    JWT_TYP: "at+jwt, JWT",
    GRPC_AUTH: "mtls",
    GRPC_TRUST_DOMAIN: "cluster.local",
    GRPC_CALLER_NAMESPACES: "shop, tills",
    GRPC_TLS_CERT: "/tls/tls.crt",
    GRPC_TLS_KEY: "/tls/tls.key",
    GRPC_TLS_CLIENT_CA: "/tls/ca.crt",
    GRPC_CALLERS_GET_CUSTOMER_GROUPS: "cart-service, search-service",
    GRPC_CALLERS_GET_CUSTOMER_SNAPSHOT: "till-service",
    GRPC_CALLERS_CONFIRM_ERASURE: "order-service, review-gateway",
    REST_CALLERS_SEARCH_CUSTOMERS: "crm-service",
    SERVICE_CLIENTS: "crm-service=3f0c",
    GDPR_PARTICIPANTS: "order-service, review-service, order-service",
    GDPR_GRACE: "72h",
    GDPR_MARKER_FILE: "/var/lib/marker",
    GDPR_RECEIPT_PUBLIC_KEYS: new Uint8Array(32).fill(3).toBase64(),
    GDPR_MAX_SIGN_IN_AGE: "5m",
    GDPR_FOUR_EYES: "false",
    GDPR_FETCH_WAIT: "48h",
    PEER_ORDER_SERVICE_URL: "https://order-service.example:50051",
    PEER_COMMUNICATION_SERVICE_URL: "http://127.0.0.1:50051",
    PEER_REVIEW_SERVICE_URL: "https://reviews.example:7000",
    PEER_REVIEW_SERVICE_PUBLIC_KEYS: `${SPKI.toBase64()}, ${new Uint8Array(32).fill(3).toBase64()}`,
    PEER_TLS_CA: "/tls/peers.crt",
    PEER_TLS_CERT: "/tls/tls.crt",
    PEER_TLS_KEY: "/tls/tls.key",
    PEER_TOKEN_PATH: "/var/run/secrets/peers/token",
  });
  assert.deepEqual(config, {
    production: true,
    roles: "all",
    bind: "::1",
    httpPort: 0,
    grpcPort: 0,
    workers: 1,
    maxInFlight: 250,
    grpcMaxInFlight: 500,
    shutdownDelayMs: 10_000,
    http: {
      trustedProxies: 2,
      ratePerPrincipal: 0,
      ratePerAddress: 60,
      corsOrigins: ["https://admin.example"],
    },
    databaseUrl: PRODUCTION.DATABASE_URL,
    databaseDirectUrl: "postgres://customer:x@primary.example:5432/customers",
    databaseReadUrl: "postgres://reader:x@replica.example:5432/customers",
    databaseReadMaxLagMs: 2_000,
    databaseWaitMs: 300_000,
    databasePoolSize: 25,
    dataDirectory: "/var/lib/customer-service",
    kafka: {
      brokers: ["kafka-1.example:9092", "kafka-2.example:9093"],
      ssl: true,
      ca: "/tls/kafka.crt",
      identity: { certificate: "/tls/tls.crt", key: "/tls/tls.key" },
      sasl: { mechanism: "scram-sha-512", username: "customers", password: SECRET },
      partitions: 48,
      replicationFactor: 2,
    },
    outboxRetentionMs: 30 * 86_400_000,
    eventFormat: "json",
    eventSource: "//shop.example/eu/customer-service",
    auth: {
      mode: "jwt",
      tokens: {
        from: "jwks",
        jwksUrl: new URL("https://id.example/jwks.json"),
        jwksCa: "/tls/issuer.crt",
        issuer: "https://id.example",
        audience: "customer-service",
        types: ["at+jwt", "JWT"],
      },
      clients: { "3f0c": "crm-service" },
    },
    grpcAuth: {
      mode: "mtls",
      trustDomain: "cluster.local",
      namespaces: ["shop", "tills"],
    },
    grpcTls: { certificate: "/tls/tls.crt", key: "/tls/tls.key", clientCa: "/tls/ca.crt" },
    grpcCallers: {
      GetCustomerGroups: ["cart-service", "search-service"],
      GetCustomerSnapshot: ["till-service"],
      ConfirmErasure: ["order-service", "review-gateway"],
      GetNotice: ["communication-service"],
      ConfirmNotice: ["communication-service"],
    },
    restCallers: { ...SERVICE_RIGHTS, SEARCH_CUSTOMERS: ["crm-service"] },
    gdpr: {
      participants: ["order-service", "review-service"],
      markerFile: "/var/lib/marker",
      graceMs: 72 * 60 * 60 * 1_000,
      maxSignInAgeMs: 5 * 60_000,
      fourEyes: false,
      fetchWaitMs: 48 * 60 * 60 * 1_000,
      peers: {
        "order-service": new URL("https://order-service.example:50051"),
        "payment-service": new URL("https://payment-service.example"),
        "communication-service": new URL("http://127.0.0.1:50051"),
        "review-service": new URL("https://reviews.example:7000"),
      },
      peerKeys: { "review-service": [SPKI.slice(-32), new Uint8Array(32).fill(3)] },
      peerAccess: {
        ca: "/tls/peers.crt",
        identity: { certificate: "/tls/tls.crt", key: "/tls/tls.key" },
        tokenPath: "/var/run/secrets/peers/token",
      },
      keys: {
        exportKey: new Uint8Array(32).fill(1),
        hashKeys: [new Uint8Array(48).fill(2)],
        receiptKey: Uint8Array.fromBase64(PRODUCTION.GDPR_RECEIPT_KEY ?? ""),
        receiptPublicKeys: [new Uint8Array(32).fill(3)],
      },
    },
  });
});

Deno.test("configuration in production listens on every interface and replicates topics three times", () => {
  const config = readConfig(PRODUCTION);
  assert.equal(config.bind, "0.0.0.0");
  assert.equal(config.kafka?.replicationFactor, 3);
});

Deno.test("configuration names every invalid variable at once", () => {
  // Any string is a valid folder, path, user name or password of these, so they can only be missing.
  const acceptsAnyString = [
    ...["DATA_DIR", "GDPR_MARKER_FILE"],
    ...["GRPC_TLS_CERT", "GRPC_TLS_KEY", "GRPC_TLS_CLIENT_CA"],
    ...["JWT_JWKS_CA"],
    ...["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD", "KAFKA_SSL_CA", "KAFKA_SSL_CERT", "KAFKA_SSL_KEY"],
    ...["PEER_TLS_CA", "PEER_TLS_CERT", "PEER_TLS_KEY", "PEER_TOKEN_PATH"],
    ...["VAULT_K8S_TOKEN_PATH", "VAULT_CACERT"],
  ];
  const names = Object.keys(VARIABLES).filter((name) => !acceptsAnyString.includes(name));
  const env = Object.fromEntries(names.map((name) => [name, "not this"]));
  assert.deepEqual(refused(env).sort(), [...names, "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"].sort());
});

Deno.test("configuration refuses a token over plain text, and TLS files that no participant uses", () => {
  const token = { PEER_TOKEN_PATH: "/token" };
  for (const host of ["orders.example", "127.0.0.1.example", "127.example", "10.0.0.1", "[::2]"]) {
    assert.deepEqual(linesOf({ ...token, PEER_ORDER_SERVICE_URL: `http://${host}:1` }), [
      "PEER_ORDER_SERVICE_URL: expected https, because PEER_TOKEN_PATH is sent there",
    ]);
  }
  for (
    const url of ["https://orders.example", "http://127.0.0.9:1", "http://[::1]:1", "http://localhost:1"]
  ) {
    assert.equal(
      readConfig({ ...token, PEER_ORDER_SERVICE_URL: url }).gdpr.peerAccess.tokenPath,
      "/token",
      url,
    );
  }
  const tls = { PEER_TLS_CA: "/ca", PEER_TLS_CERT: "/crt" };
  assert.deepEqual(refused({ ...tls, PEER_ORDER_SERVICE_URL: "http://orders.example" }), [
    "PEER_TLS_KEY",
    "PEER_TLS_CA",
    "PEER_TLS_CERT",
  ]);
  assert.deepEqual(refused({ ...tls, PEER_ORDER_SERVICE_URL: "https://orders.example" }), ["PEER_TLS_KEY"]);
});

Deno.test("configuration of several workers requires fixed ports and an external database", () => {
  assert.deepEqual(linesOf({ WORKERS: "3", HTTP_PORT: "0", GRPC_PORT: "0" }), [
    `HTTP_PORT: expected a port, because 3 WORKERS share it, got 0`,
    `GRPC_PORT: expected a port, because 3 WORKERS share it, got 0`,
    `DATABASE_URL: expected ${VARIABLES.DATABASE_URL.expected}, because 3 WORKERS cannot share the embedded PostgreSQL`,
  ]);
  const { databaseUrl, workers } = readConfig({ ...PRODUCTION, WORKERS: "3" });
  assert.deepEqual([databaseUrl, workers], [PRODUCTION.DATABASE_URL, 3]);
  for (const wrong of ["0", "65", "-1", "two"]) assert.deepEqual(refused({ WORKERS: wrong }), ["WORKERS"]);
});

Deno.test("configuration reports the expected and the actual value of each invalid variable", () => {
  assert.deepEqual(linesOf({ HTTP_PORT: "65536", KAFKA_SSL: "yes\nno", KAFKA_PARTITIONS: "9".repeat(99) }), [
    `HTTP_PORT: expected a port, or 0 for any free one, got "65536"`,
    `KAFKA_SSL: expected true or false, got "yes\\nno"`,
    `KAFKA_PARTITIONS: expected a number from 1 to 10000, for topics that are created, got "${
      "9".repeat(40)
    }…"`,
  ]);
});

Deno.test("configuration refuses values that only look valid", () => {
  const wrong: [string, string][] = [
    ["HTTP_PORT", "4000 "],
    ["HTTP_PORT", "-1"],
    ["HTTP_PORT", "0x10"],
    ["HTTP_PORT", "4e3"],
    ["BIND", "customers.example"],
    ["BIND", "127.0.0.1.2"],
    ["DATABASE_URL", "mysql://db/customers"],
    ["DATABASE_URL", "postgres://db"],
    ["DATABASE_URL", "postgres:///customers"],
    ["DATABASE_URL", "postgres://db-1:5432,db-2:5433/customers"],
    ["DATABASE_URL", "postgres://db-1,db-2/customers"],
    ["DATABASE_URL", "postgres://[::1]:5432/customers"],
    ["DATABASE_URL", "postgres://user:50%@db/customers"],
    ["DATABASE_URL", "postgres://user:p/w@db/customers"],
    ["DATABASE_URL", "postgres://db:port/customers"],
    ["DATABASE_URL", "jdbc:postgresql://db/customers"],
    ["DATABASE_URL", "postgres://db/customers?sslmode=verify_full"],
    ["DATABASE_URL", "postgres://db/customers?sslmode=verify-full&sslmode=disable"],
    ["DATABASE_URL", "postgres://db/customers?sslrootcert=/tls/ca.pem"],
    ["DATABASE_URL", "postgres://db/customers?sslmode=prefer&sslrootcert=/tls/ca.pem"],
    ["DATABASE_URL", "postgres://db/customers?sslmode=verify-full&sslrootcert=-----BEGIN"],
    ["KAFKA_BROKERS", "kafka"],
    ["KAFKA_BROKERS", "kafka:9092,"],
    ["KAFKA_BROKERS", "kafka:99999"],
    ["KAFKA_PARTITIONS", "0"],
    ["KAFKA_PARTITIONS", "1.5"],
    ["KAFKA_REPLICATION_FACTOR", "10"],
    ["GRPC_CALLERS_GET_CUSTOMER_GROUPS", "cart-service,,till-service"],
    ["GRPC_CALLERS_GET_CUSTOMER_GROUPS", "*"],
    ["DENO_ENV", "prod"],
    ["GDPR_PARTICIPANTS", "order-service,customer-service"],
    ["LOG_LEVEL", "verbose"],
    ["OUTBOX_RETENTION_DAYS", "0"],
    ["OUTBOX_RETENTION_DAYS", "7d"],
    ["GDPR_GRACE", "14"],
    ["GDPR_GRACE", "-1h"],
    ["GDPR_GRACE", "1.5h"],
    ["GDPR_GRACE", "29d"],
    ["GDPR_MAX_SIGN_IN_AGE", "0s"],
    ["GDPR_MAX_SIGN_IN_AGE", "25h"],
    ["GDPR_FOUR_EYES", "yes"],
    ["GDPR_FETCH_WAIT", "8d"],
    ["GDPR_EXPORT_KEY", new Uint8Array(31).toBase64()],
    ["GDPR_EXPORT_KEY", new Uint8Array(33).toBase64()],
    ["GDPR_EXPORT_KEY", new Uint8Array(32).toHex()],
    ["GDPR_HASH_KEY", new Uint8Array(31).toBase64()],
    ["GDPR_RECEIPT_KEY", new Uint8Array(32).toBase64()],
    ["GDPR_RECEIPT_KEY", pkcs8("x25519").toBase64()],
    ["GDPR_RECEIPT_KEY", pem(pkcs8("ed25519").subarray(1))],
    ["VAULT_ADDR", "vault:8200"],
    ["VAULT_TOKEN", "of two\nlines"],
    ["VAULT_K8S_MOUNT", "../sys"],
    ["VAULT_NAMESPACE", "/shop"],
    ["VAULT_WAIT", "2h"],
    ["PEER_ORDER_SERVICE_PUBLIC_KEYS", `${SPKI.toBase64()},`],
    ["PEER_ORDER_SERVICE_PUBLIC_KEYS", new Uint8Array(33).toBase64()],
    ["PEER_ORDER_SERVICE_PUBLIC_KEYS", pkcs8("ed25519").toBase64()],
    ["PEER_ORDER_SERVICE_URL", "order-service:50051"],
    ["PEER_ORDER_SERVICE_URL", "grpc://order-service:50051"],
    ["PEER_ORDER_SERVICE_URL", "http://user:word@order-service:50051"],
  ];
  for (const [name, value] of wrong) assert.deepEqual(refused({ [name]: value }), [name], `${name}=${value}`);
});

Deno.test("configuration accepts an encoded database password, and parameters", () => {
  const url = "postgres://user:p%40%2Fw@db-1:5432/customers?target_session_attrs=read-write";
  assert.equal(readConfig({ DATABASE_URL: url }).databaseUrl, url);
});

Deno.test("configuration accepts every form of durations and keys", () => {
  for (
    const [grace, milliseconds] of Object.entries({
      "0s": 0,
      "90s": 90_000,
      "30m": 1_800_000,
      "14d": 1_209_600_000,
    })
  ) {
    assert.equal(readConfig({ GDPR_GRACE: grace }).gdpr.graceMs, milliseconds, grace);
  }
  const der = pkcs8("ed25519");
  for (const key of [der.toBase64(), pem(der)]) {
    assert.deepEqual(readConfig({ GDPR_RECEIPT_KEY: key }).gdpr.keys.receiptKey, new Uint8Array(der));
  }
});

Deno.test("configuration waits three days before an erasure in production and in the demo store", () => {
  assert.equal(readConfig(PRODUCTION).gdpr.graceMs, 72 * 60 * 60 * 1_000);
  assert.equal(readConfig({}).gdpr.graceMs, 72 * 60 * 60 * 1_000, "the demo store");
  assert.equal(readConfig({ DATABASE_URL: "postgres://service@db/customers" }).gdpr.graceMs, 0);
  assert.equal(readConfig({ ...PRODUCTION, GDPR_GRACE: "0s" }).gdpr.graceMs, 0);
});

Deno.test("configuration in production requires a URL of each participant", () => {
  const env = {
    ...PRODUCTION,
    GDPR_PARTICIPANTS: "order-service,review-service",
    PEER_ORDER_SERVICE_URL: "",
  };
  assert.deepEqual(refused(env), ["PEER_ORDER_SERVICE_URL", "PEER_REVIEW_SERVICE_URL"]);
  assert.deepEqual(readConfig({ GDPR_PARTICIPANTS: "review-service" }).gdpr.peers, {});
});

Deno.test("configuration names the missing variables of a group", () => {
  assert.deepEqual(refused({ KAFKA_SASL_USERNAME: "customers" }), [
    "KAFKA_SASL_MECHANISM",
    "KAFKA_SASL_PASSWORD",
  ]);
  assert.deepEqual(refused({ JWT_ISSUER: "https://id.example", JWT_AUDIENCE: "a" }), ["JWT_JWKS_URL"]);
  assert.deepEqual(refused({ GRPC_AUTH: "mtls", GRPC_TLS_CERT: "tls.crt" }), [
    "GRPC_TLS_KEY",
    "GRPC_TLS_CLIENT_CA",
    "GRPC_TRUST_DOMAIN",
    "GRPC_CALLER_NAMESPACES",
  ]);
});

Deno.test("configuration accepts a gRPC certificate in every mode, and a client CA with mtls only", () => {
  const files = { GRPC_TLS_CERT: "/tls.crt", GRPC_TLS_KEY: "/tls.key" };
  for (const mode of [{ GRPC_AUTH: "token" }, { GRPC_AUTH: "none" }, { ...IDENTITIES, GRPC_AUTH: "mesh" }]) {
    assert.deepEqual(readConfig({ ...mode, ...files }).grpcTls, { certificate: "/tls.crt", key: "/tls.key" });
    assert.equal(readConfig(mode).grpcTls, undefined);
    assert.deepEqual(refused({ ...mode, GRPC_TLS_CERT: "/tls.crt" }), ["GRPC_TLS_KEY"]);
    assert.deepEqual(refused({ ...mode, GRPC_TLS_KEY: "/tls.key" }), ["GRPC_TLS_CERT"]);
    assert.deepEqual(linesOf({ ...mode, ...files, GRPC_TLS_CLIENT_CA: "/ca.crt" }), [
      `GRPC_TLS_CLIENT_CA: expected with GRPC_AUTH=mtls only, GRPC_AUTH is ${mode.GRPC_AUTH}`,
    ]);
  }
});

Deno.test("configuration refuses contradictory Vault variables", () => {
  const VAULT_ADDR = "https://vault.example:8200";
  const table: [Environment, string[]][] = [
    [{ VAULT_ADDR, VAULT_TOKEN: SECRET, VAULT_CACERT: "/ca.pem", VAULT_NAMESPACE: "shop/eu" }, []],
    [{ VAULT_ADDR, VAULT_K8S_ROLE: "customer-service", VAULT_K8S_MOUNT: "clusters/eu" }, []],
    [{ VAULT_ADDR }, ["VAULT_TOKEN"]],
    [{ VAULT_ADDR, VAULT_TOKEN: SECRET, VAULT_K8S_ROLE: "customer-service" }, ["VAULT_K8S_ROLE"]],
    [{ VAULT_ADDR, VAULT_TOKEN: SECRET, VAULT_K8S_MOUNT: "eu" }, ["VAULT_K8S_MOUNT"]],
    [{ VAULT_ADDR: "http://vault", VAULT_TOKEN: SECRET, VAULT_CACERT: "/ca.pem" }, ["VAULT_CACERT"]],
    [{ VAULT_TOKEN: SECRET }, ["VAULT_ADDR"]],
    [{ VAULT_ADDR: "", VAULT_TOKEN: "" }, []],
  ];
  for (const [env, names] of table) {
    if (names.length === 0) readConfig(env);
    else assert.deepEqual(refused(env), names, JSON.stringify(env));
  }
});

Deno.test("configuration of an edge requires a replica, callers' identities, and nothing else", () => {
  const edge = {
    DENO_ENV: "production",
    ROLES: "edge",
    DATABASE_READ_URL: "postgres://reader:x@replica.example:5432/customers",
    GRPC_AUTH: "mesh",
    GRPC_TRUST_DOMAIN: "platform.example",
    GRPC_CALLER_NAMESPACES: "shop",
  };
  assert.deepEqual([readConfig(edge).roles, readConfig(edge).databaseUrl], ["edge", undefined]);
  const { DATABASE_READ_URL: _, ...without } = edge;
  assert.match(messageOf(without), /^ {2}DATABASE_READ_URL: expected .*because ROLES is edge$/m);
  assert.match(messageOf({ ...edge, GRPC_AUTH: "none" }), /^ {2}GRPC_AUTH: expected mtls, mesh or token/m);
  assert.match(
    messageOf({ DENO_ENV: "production", ROLES: "edge", DATABASE_READ_URL: edge.DATABASE_READ_URL }),
    /^ {2}JWT_JWKS_URL: .*built-in issuer is refused/m,
  );
  assert.match(messageOf({ ...edge, ROLES: "relay" }), /^ {2}ROLES: expected all or edge, got "relay"$/m);
  assert.match(
    messageOf({ DATABASE_READ_URL: edge.DATABASE_READ_URL }),
    /^ {2}DATABASE_URL: expected .*together with DATABASE_READ_URL/m,
  );
});

Deno.test("configuration refuses one port for both servers", () => {
  assert.deepEqual(refused({ HTTP_PORT: "5000", GRPC_PORT: "5000" }), ["GRPC_PORT"]);
});

Deno.test("configuration allows unauthenticated gRPC callers on loopback only", () => {
  for (const BIND of [undefined, "127.0.0.1", "127.9.9.9", "::1", "localhost"]) {
    assert.deepEqual(readConfig({ GRPC_AUTH: "none", BIND }).grpcAuth, { mode: "none" });
  }
  for (const BIND of ["0.0.0.0", "::", "10.0.0.1", "1.127.0.0"]) {
    assert.deepEqual(refused({ GRPC_AUTH: "none", BIND }), ["GRPC_AUTH"]);
  }
  assert.deepEqual(refused({ ...PRODUCTION, GRPC_AUTH: "none", BIND: "127.0.0.1" }), ["GRPC_AUTH"]);
});

Deno.test("configuration in production refuses every development default by name", () => {
  assert.deepEqual(refused({ DENO_ENV: "production", GRPC_AUTH: "none", BIND: "127.0.0.1" }), [
    "JWT_JWKS_URL",
    "JWT_ISSUER",
    "JWT_AUDIENCE",
    "GRPC_AUTH",
    "DATABASE_URL",
    "KAFKA_BROKERS",
    "TRUSTED_PROXIES",
    "GDPR_EXPORT_KEY",
    "GDPR_HASH_KEY",
    "GDPR_RECEIPT_KEY",
    "PEER_ORDER_SERVICE_URL",
    "PEER_PAYMENT_SERVICE_URL",
    "PEER_COMMUNICATION_SERVICE_URL",
  ]);
});

Deno.test("configuration in production requires the number of trusted proxies, which may be 0", () => {
  const { TRUSTED_PROXIES: _, ...unsaid } = PRODUCTION;
  const [refusal = ""] = linesOf(unsaid);
  assert.match(
    refusal,
    /^TRUSTED_PROXIES: expected a number from 0 to 9, because .*; 0 where clients connect/,
  );
  assert.equal(readConfig(PRODUCTION).http.trustedProxies, 0);
});

Deno.test("configuration with a gateway requires an issuer only for gRPC callers with tokens", () => {
  const { JWT_JWKS_URL: _url, JWT_ISSUER: _issuer, JWT_AUDIENCE: _audience, ...rest } = PRODUCTION;
  const gateway = { ...rest, AUTH_MODE: "gateway", GATEWAY_SECRET };
  assert.deepEqual(readConfig({ ...gateway, GRPC_AUTH: "mesh", ...IDENTITIES }).auth, {
    mode: "gateway",
    tokens: undefined,
    secrets: [GATEWAY_SECRET],
    clients: {},
  });
  assert.deepEqual(refused(gateway), ["JWT_JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"]);
  const { auth } = readConfig({ ...PRODUCTION, AUTH_MODE: "gateway", GATEWAY_SECRET });
  assert.equal(auth.mode, "gateway");
  assert.equal(auth.tokens?.from, "jwks");
});

Deno.test("configuration in production requires a gateway secret, and accepts two for rotation", () => {
  assert.deepEqual(linesOf({ ...PRODUCTION, AUTH_MODE: "gateway" }), [
    "GATEWAY_SECRET: expected one or two secrets of 32 to 512 printable characters, comma-separated, because " +
    "without it anyone who reaches the port is trusted",
  ]);
  assert.deepEqual(readConfig({ AUTH_MODE: "gateway" }).auth, {
    mode: "gateway",
    tokens: { from: "development" },
    secrets: [],
    clients: {},
  });
  const next = GATEWAY_SECRET.toUpperCase();
  const both = readConfig({ AUTH_MODE: "gateway", GATEWAY_SECRET: `${GATEWAY_SECRET},${next}` }).auth;
  assert.deepEqual(both.mode === "gateway" && both.secrets, [GATEWAY_SECRET, next]);
  const wrong = ["short", `${GATEWAY_SECRET},`, `${GATEWAY_SECRET},${next},${next}x`, "spaces ".repeat(9)];
  for (const secret of wrong) {
    const message = messageOf({ GATEWAY_SECRET: secret });
    assert.match(message, /^ {2}GATEWAY_SECRET: expected one or two secrets of [^"]*$/m);
  }
});

Deno.test("configuration requires SPIFFE identities with certificates, and refuses them in other modes", () => {
  for (const GRPC_AUTH of ["mesh", "mtls"]) {
    const files = GRPC_AUTH === "mtls"
      ? { GRPC_TLS_CERT: "/crt", GRPC_TLS_KEY: "/key", GRPC_TLS_CLIENT_CA: "/ca" }
      : {};
    for (const env of [{}, PRODUCTION]) {
      assert.deepEqual(refused({ ...env, ...files, GRPC_AUTH }), [
        "GRPC_TRUST_DOMAIN",
        "GRPC_CALLER_NAMESPACES",
      ]);
    }
  }
  assert.deepEqual(readConfig({ ...IDENTITIES, GRPC_AUTH: "mesh" }).grpcAuth, {
    mode: "mesh",
    trustDomain: "cluster.local",
    namespaces: ["shop"],
  });
  assert.deepEqual(linesOf({ ...IDENTITIES, GRPC_AUTH: "token" }), [
    "GRPC_TRUST_DOMAIN: expected with GRPC_AUTH=mtls or mesh only, GRPC_AUTH is token",
    "GRPC_CALLER_NAMESPACES: expected with GRPC_AUTH=mtls or mesh only, GRPC_AUTH is token",
  ]);
  for (const domain of ["spiffe://cluster.local", "Cluster.Local", "cluster.local/ns", "*"]) {
    assert.deepEqual(refused({ ...IDENTITIES, GRPC_AUTH: "mesh", GRPC_TRUST_DOMAIN: domain }), [
      "GRPC_TRUST_DOMAIN",
    ]);
  }
});

Deno.test("configuration maps client IDs, UUIDs included, to services", () => {
  const [order, till] = ["3f0c2d1e-0000-4000-8000-000000000001", "aB3-_.x@clients"];
  const { auth, grpcAuth, grpcCallers } = readConfig({
    SERVICE_CLIENTS: `order-service=${order}, till-service=${till},till-service=second`,
    GRPC_CALLERS_GET_CUSTOMER_GROUPS: `${order},cart-service,AbC123`,
  });
  assert.deepEqual(grpcAuth, {
    mode: "token",
    clients: { [order]: "order-service", [till]: "till-service", second: "till-service" },
  });
  assert.deepEqual(auth.clients, {
    [order]: "order-service",
    [till]: "till-service",
    second: "till-service",
  });
  assert.deepEqual(grpcCallers.GetCustomerGroups, [order, "cart-service", "AbC123"]);
  for (const wrong of ["order-service", "=a", "a=", "a=x,b=x", "A=x", "a=x y", "a=x=y"]) {
    assert.deepEqual(refused({ SERVICE_CLIENTS: wrong }), ["SERVICE_CLIENTS"], wrong);
  }
});

Deno.test("configuration in production allows plain http to the named hosts and to loopback", () => {
  const plain = {
    JWT_JWKS_URL: "http://Identity-Service:4000/jwks.json",
    PEER_ORDER_SERVICE_URL: "http://order-service:50051",
    PEER_REVIEW_SERVICE_URL: "http://reviews:1",
    VAULT_ADDR: "http://vault:8200",
  };
  const env = { ...PRODUCTION, ...plain, VAULT_TOKEN: SECRET };
  const line = (name: string, host: string) =>
    `${name}: expected https in production, or ${host} as one of PLAINTEXT_HOSTS`;
  assert.deepEqual(linesOf(env).sort(), [
    line("JWT_JWKS_URL", "identity-service"),
    line("PEER_ORDER_SERVICE_URL", "order-service"),
    line("PEER_REVIEW_SERVICE_URL", "reviews"),
    line("VAULT_ADDR", "vault"),
  ]);
  assert.deepEqual(refused({ ...env, PLAINTEXT_HOSTS: "identity-service,Order-Service, vault" }), [
    "PEER_REVIEW_SERVICE_URL",
  ]);
  readConfig({ ...env, PLAINTEXT_HOSTS: "identity-service,order-service,vault,reviews" });
  readConfig({ ...PRODUCTION, PEER_ORDER_SERVICE_URL: "http://127.0.0.1:15001" });
  readConfig({ ...plain, JWT_ISSUER: "i", JWT_AUDIENCE: "a", VAULT_TOKEN: SECRET });
  for (const wrong of ["http://vault", "vault:8200", "*", "a,,b"]) {
    assert.deepEqual(refused({ PLAINTEXT_HOSTS: wrong }), ["PLAINTEXT_HOSTS"], wrong);
  }
});

Deno.test("configuration refuses TLS files that no connection reads", () => {
  const brokers = { KAFKA_BROKERS: "kafka:9092" };
  const only = (name: string) => `${name}: expected with KAFKA_SSL=true only`;
  const files = { KAFKA_SSL_CA: "/ca", KAFKA_SSL_CERT: "/crt", KAFKA_SSL_KEY: "/key" };
  assert.deepEqual(linesOf({ ...brokers, ...files }), Object.keys(files).map(only));
  assert.deepEqual(refused({ ...brokers, KAFKA_SSL: "true", KAFKA_SSL_CERT: "/crt" }), ["KAFKA_SSL_KEY"]);
  assert.deepEqual(refused({ JWT_JWKS_CA: "/ca" }), ["JWT_JWKS_CA"]);
  const issuer = { JWT_ISSUER: "i", JWT_AUDIENCE: "a", JWT_JWKS_CA: "/ca" };
  assert.deepEqual(refused({ ...issuer, JWT_JWKS_URL: "http://id.example/keys" }), ["JWT_JWKS_CA"]);
  assert.deepEqual(refused({ ...issuer, JWT_JWKS_URL: "nonsense" }), ["JWT_JWKS_URL"]);
});

Deno.test("EVENT_SOURCE is a URI reference without credentials", () => {
  for (
    const source of ["/customer-service", "//shop.example/eu", "urn:shop:eu", "https://shop.example/a#b"]
  ) {
    assert.equal(readConfig({ EVENT_SOURCE: source }).eventSource, source);
  }
  for (const wrong of ["a b", "https://", "//a:b@shop.example", "{eu}", "/ä", "x".repeat(256), "/\n"]) {
    assert.deepEqual(refused({ EVENT_SOURCE: wrong }), ["EVENT_SOURCE"], wrong);
  }
});

Deno.test("configuration refuses half a PEM text, and quotes none of it", () => {
  for (const name of ["KAFKA_SSL_CA", "KAFKA_SSL_CERT", "KAFKA_SSL_KEY"]) {
    for (const wrong of [`-----BEGIN ${SECRET}`, ` eyJ${SECRET}`, `${SECRET}\n`]) {
      const message = messageOf({ KAFKA_BROKERS: "kafka:9092", KAFKA_SSL: "true", [name]: wrong });
      assert.match(message, new RegExp(`^  ${name}: expected [^"]+$`, "m"));
      assert.ok(!message.includes(SECRET), message);
    }
  }
});

Deno.test("configuration never quotes a secret, nor credentials in another variable", () => {
  const login = `postgres://service:${SECRET}@db.example/customers`;
  // A URL of PostgreSQL is valid in these: its own variables, and those that accept any string or a path.
  const acceptsUrl =
    /DATABASE_URL|DATA_DIR|ISSUER|AUDIENCE|SASL|TLS|SSL_|JWKS_CA|PEER_TOKEN|GATEWAY_SECRET|MARKER_FILE/;
  const messages = [
    messageOf({ DATABASE_URL: `mysql://service:${SECRET}@db.example/customers`, HTTP_PORT: "x" }),
    messageOf({ DATABASE_URL: SECRET }),
    messageOf({ KAFKA_SASL_PASSWORD: SECRET }),
    messageOf({ GATEWAY_SECRET: SECRET }),
    messageOf({ GDPR_EXPORT_KEY: SECRET, GDPR_HASH_KEY: SECRET, GDPR_RECEIPT_KEY: SECRET }),
    messageOf({ PEER_ORDER_SERVICE_URL: login }),
    ...Object.keys(VARIABLES).filter((name) => !acceptsUrl.test(name)).map((name) =>
      messageOf({ [name]: login })
    ),
  ];
  for (const message of messages) assert.ok(!message.includes(SECRET), message);
});

Deno.test("configuration refuses a key, a token or a whole file as a path, and quotes none of them", () => {
  const paths = ["DATA_DIR", "GRPC_TLS_CERT", "GRPC_TLS_KEY", "GRPC_TLS_CLIENT_CA", "PEER_TLS_CA"];
  paths.push(
    "JWT_JWKS_CA",
    "PEER_TLS_CERT",
    "PEER_TLS_KEY",
    "PEER_TOKEN_PATH",
    "VAULT_K8S_TOKEN_PATH",
    "VAULT_CACERT",
  );
  const contents = [pem(pkcs8("ed25519")), `-----BEGIN ${SECRET}`, ` eyJ${SECRET}`, `${SECRET}\n`];
  for (const content of [...contents, SECRET.repeat(300)]) {
    const message = messageOf(Object.fromEntries(paths.map((name) => [name, content])));
    for (const name of paths) assert.match(message, new RegExp(`^  ${name}: expected [^"]+$`, "m"));
    assert.ok(!message.includes(SECRET) && !message.includes("BEGIN"), message);
  }
  assert.ok(!messageOf({ HTTP_PORT: `eyJ${SECRET}` }).includes(SECRET), "nor in any other part");
});

Deno.test("configuration lists the services with each right over REST, by default identity-service with four", () => {
  const granted = Object.entries(readConfig({}).restCallers).filter(([, services]) => services.length > 0);
  assert.deepEqual(Object.fromEntries(granted), {
    CHANGE_STATUS: ["identity-service"],
    REGISTER_CUSTOMERS: ["identity-service"],
    READ_CUSTOMERS: ["identity-service"],
    UPDATE_CUSTOMERS: ["identity-service"],
  });
  const { restCallers, grpcCallers } = readConfig({
    REST_CALLERS_READ_CUSTOMERS: "none",
    REST_CALLERS_SEARCH_CUSTOMERS: "crm-service, search-service",
    GRPC_CALLERS_GET_CUSTOMER_SNAPSHOT: "none",
  });
  assert.deepEqual([restCallers.READ_CUSTOMERS, grpcCallers.GetCustomerSnapshot], [[], []]);
  assert.deepEqual(restCallers.SEARCH_CUSTOMERS, ["crm-service", "search-service"]);
  for (const wrong of ["none,crm-service", "crm service", ","]) {
    assert.deepEqual(
      refused({ REST_CALLERS_SEARCH_CUSTOMERS: wrong }),
      ["REST_CALLERS_SEARCH_CUSTOMERS"],
      wrong,
    );
  }
});
