/** Table of the environment variables: format, default, and whether the value is secret. */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { z } from "zod";
import { isPostgresUrl } from "./database_url.ts";
import { SERVICE_RIGHTS, type ServiceRight } from "../domain/service_rights.ts";
import { LOG_LEVELS } from "./logging.ts";
import { isPath, isPem, isSecret } from "./path.ts";

export type Environment = Record<string, string | undefined>;

export interface Variable<Value> {
  /** Text for people that completes "expected …". */
  expected: string;
  /** Text for people: the default. Undefined if there is none. */
  absent?: string;
  /** Whether messages must not quote it. */
  secret?: boolean;
  schema: z.ZodType<Value, string | undefined>;
}

const text = z.string();
const word = text.regex(/^\S+$/);
const path = text.refine(isPath);
/** Vault supplies the text, an operator usually a path. */
const pathOrPem = text.refine((value) => isPath(value) || isPem(value));
const port = text.regex(/^\d{1,5}$/).transform(Number).refine((number) => number <= 65_535);
const count = (most: number) =>
  text.regex(/^[1-9]\d{0,4}$/).transform(Number).refine((number) => number <= most);
const flag = z.stringbool({ truthy: ["true"], falsy: ["false"] });
const rate = text.regex(/^\d{1,7}$/).transform(Number);
const list = (isItem: (part: string) => boolean) =>
  text.transform((parts) => parts.split(",").map((part) => part.trim())).refine((parts) =>
    parts.every(isItem)
  );
const brokers = list((part) => /^[A-Za-z0-9._-]+:\d{1,5}$/.test(part) && URL.canParse(`kafka://${part}`));
const services = list((part) => /^[a-z][a-z0-9-]{0,62}$/.test(part));
/** A service or its client ID, which may be a UUID; `none` for no service. */
const callers = list((part) => /^[A-Za-z0-9][\w.-]{0,127}$/.test(part)).refine((names) =>
  names.length === 1 || !names.includes("none")
).transform((names) => names[0] === "none" ? [] : names);
const CALLERS = "names of services, comma-separated, or none";
const clients = list((part) => /^[a-z][a-z0-9-]{0,62}=[\w.@-]{1,255}$/.test(part)).transform((parts) =>
  parts.map((part) => part.split("=") as [service: string, clientId: string])
).refine((pairs) => new Set(pairs.map(([, clientId]) => clientId)).size === pairs.length)
  .transform((pairs) => Object.fromEntries(pairs.map(([service, clientId]) => [clientId, service])));
const namespaces = list((part) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(part));
/** Values of a token's `typ`: a media type with or without `application/`, or `none` for no `typ`. */
const tokenTypes = list((part) => /^[A-Za-z0-9][\w.+/-]{0,126}$/.test(part));
const hosts = list((part) => /^[A-Za-z0-9._-]+$|^\[[0-9a-f:.]+\]$/i.test(part)).transform((parts) =>
  parts.map((part) => part.toLowerCase())
);
/** Too long to guess, and without commas, which would split a header. */
const sharedSecrets = list((part) => /^[\x21-\x2b\x2d-\x7e]{32,512}$/.test(part)).refine((parts) =>
  parts.length <= 2
);
const isWithoutLogin = (url: URL | null) => url !== null && !url.username && !url.password;
const location = z.url({ protocol: /^https?$/ }).transform((url) => new URL(url)).refine(isWithoutLogin);
/** CloudEvents' `source`. */
const uriReference = text.regex(/^[\x21-\x7e]{1,255}$/).refine((value) =>
  !/["<>\\^`{|}]/.test(value) && isWithoutLogin(URL.parse(value, "https://host.invalid"))
);
/** URL of a service. */
export const ADDRESS: Variable<URL> = {
  expected: "an http or https URL without credentials",
  schema: location,
};

/** Secret: a private key, given by mistake, must not be quoted. */
const PUBLIC_KEYS = {
  expected: "Ed25519 public keys in base64, comma-separated",
  schema: list(() => true).pipe(z.array(bytes(isEd25519Public))),
  secret: true,
};

const MILLISECONDS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const duration = (longest: number) =>
  text.regex(/^\d{1,6}[smhd]$/).transform((duration) =>
    Number(duration.slice(0, -1)) * MILLISECONDS[duration.slice(-1) as keyof typeof MILLISECONDS]
  ).refine((milliseconds) => milliseconds <= longest);
/** The erasure must complete within the calendar month that the GDPR allows. */
const MAX_GRACE = 28 * MILLISECONDS.d;
/** Documents expire then. */
const MAX_FETCH_WAIT = 7 * MILLISECONDS.d;
/** Characters that a header may contain. */
const token = text.regex(/^[\x21-\x7e]+$/);
/** A path in Vault, without a slash at either end. */
const vaultPath = text.regex(/^[\w-]+(\/[\w-]+)*$/);

const hashKey = bytes((key) => key.length >= 32);

/** Schemas of the secret keys, in variables and in development's file. */
export const KEYS = {
  GDPR_EXPORT_KEY: bytes((key) => key.length === 32),
  GDPR_HASH_KEY: text.transform((keys) => keys.split(",").map((key) => key.trim()))
    .pipe(z.tuple([hashKey], hashKey)),
  GDPR_RECEIPT_KEY: text.transform((key) => key.replace(/-----[A-Z ]+-----/g, "")).pipe(bytes(isEd25519)),
};

/** An invalid path may be the content of the file. */
const UNQUOTED = { secret: true };
const GENERATED = { absent: "one that development generates and stores under DATA_DIR", secret: true };

export const VARIABLES = {
  DENO_ENV: optional("production or development", z.enum(["production", "development"]), {
    absent: "development",
  }),
  ROLES: defaulted("all or edge", z.enum(["all", "edge"]), "all"),
  BIND: optional("an IP address, or localhost", z.union([z.ipv4(), z.ipv6(), z.literal("localhost")]), {
    absent: "127.0.0.1; in production 0.0.0.0",
  }),
  HTTP_PORT: defaulted("a port, or 0 for any free one", port, "4000"),
  GRPC_PORT: defaulted("a port, or 0 for any free one", port, "50051"),
  WORKERS: defaulted("a number from 1 to 64", count(64), "1"),
  MAX_IN_FLIGHT: defaulted("a number from 1 to 99999", count(99_999), "1000"),
  GRPC_MAX_IN_FLIGHT: defaulted("a number from 1 to 99999", count(99_999), "1000"),
  SHUTDOWN_DELAY: optional("a duration of at most 5m, such as 0s or 5s", duration(5 * MILLISECONDS.m), {
    absent: "0s; in production 3s",
  }),
  TRUSTED_PROXIES: defaulted("a number from 0 to 9", text.regex(/^\d$/).transform(Number), "0"),
  RATE_LIMIT_PRINCIPAL: defaulted("requests a minute, or 0 for no limit", rate, "12000"),
  RATE_LIMIT_ADDRESS: defaulted("requests a minute, or 0 for no limit", rate, "24000"),
  CORS_ORIGINS: optional("origins such as https://admin.example.com, comma-separated", list(isOrigin)),
  DATA_DIR: defaulted("a folder", path, ".data", UNQUOTED),
  DATABASE_URL: optional(
    "postgres://user:password@host:5432/database, percent-encoded, and TLS as libpq names it",
    text.refine(isPostgresUrl),
    { absent: "an embedded PostgreSQL under DATA_DIR", secret: true },
  ),
  DATABASE_DIRECT_URL: optional(
    "a URL like DATABASE_URL that leads to PostgreSQL itself",
    text.refine(isPostgresUrl),
    { absent: "DATABASE_URL leads to PostgreSQL itself", secret: true },
  ),
  DATABASE_READ_URL: optional(
    "a URL like DATABASE_URL that leads to one server: the primary or a replica of it",
    text.refine(isPostgresUrl),
    { absent: "DATABASE_URL serves all lookups", secret: true },
  ),
  DATABASE_READ_MAX_LAG: defaulted(
    "a duration from 1s to 1d, such as 5s",
    duration(MILLISECONDS.d).refine((milliseconds) => milliseconds > 0),
    "5s",
  ),
  DATABASE_WAIT: defaulted("a duration of at most 1h, such as 60s", duration(MILLISECONDS.h), "60s"),
  DB_POOL_SIZE: defaulted("a number from 1 to 1000", count(1_000), "10"),
  KAFKA_BROKERS: optional("host:port,…", brokers, { absent: "a console sink" }),
  KAFKA_SSL: defaulted("true or false", flag, "false"),
  KAFKA_SSL_CA: optional("the path of a PEM file, or its text", pathOrPem, {
    ...UNQUOTED,
    absent: "the authorities that Deno trusts",
  }),
  KAFKA_SSL_CERT: optional("the path of a PEM file, or its text", pathOrPem, UNQUOTED),
  KAFKA_SSL_KEY: optional("the path of a PEM file, or its text", pathOrPem, UNQUOTED),
  KAFKA_SASL_MECHANISM: optional(
    "plain, scram-sha-256 or scram-sha-512",
    text.toLowerCase().pipe(z.enum(["plain", "scram-sha-256", "scram-sha-512"])),
  ),
  KAFKA_SASL_USERNAME: optional("a name", text),
  KAFKA_SASL_PASSWORD: optional("a password", text, { secret: true }),
  KAFKA_PARTITIONS: defaulted("a number from 1 to 10000, for topics that are created", count(10_000), "12"),
  KAFKA_REPLICATION_FACTOR: optional("a number from 1 to 9, for topics that are created", count(9), {
    absent: "1; in production 3",
  }),
  /** The log is configured before the other variables are read. */
  LOG_LEVEL: defaulted(LOG_LEVELS.join(", "), z.enum(LOG_LEVELS), "info"),
  EVENT_FORMAT: defaulted("protobuf or json", z.enum(["protobuf", "json"]), "protobuf"),
  EVENT_SOURCE: defaulted(
    "a URI reference such as //shop.example/eu/customer-service",
    uriReference,
    "/customer-service",
  ),
  AUTH_MODE: defaulted("jwt or gateway", z.enum(["jwt", "gateway"]), "jwt"),
  JWT_JWKS_URL: optional(
    "an http or https URL without credentials",
    location,
    { absent: "the built-in issuer for development" },
  ),
  JWT_JWKS_CA: optional("the path of a PEM file", path, {
    ...UNQUOTED,
    absent: "the authorities that Deno trusts",
  }),
  JWT_ISSUER: optional("the iss of accepted tokens", word),
  JWT_AUDIENCE: optional("the aud of accepted tokens", word),
  JWT_TYP: defaulted("the typ of accepted tokens, comma-separated, none for no typ", tokenTypes, "at+jwt"),
  GATEWAY_SECRET: optional(
    "one or two secrets of 32 to 512 printable characters, comma-separated",
    sharedSecrets,
    { secret: true },
  ),
  PLAINTEXT_HOSTS: optional("names of hosts, comma-separated", hosts, { absent: "none" }),
  SERVICE_CLIENTS: optional("service=client ID, comma-separated, each client ID once", clients),
  GRPC_AUTH: defaulted(
    "mtls, mesh, token or none",
    z.enum(["mtls", "mesh", "token", "none"]),
    "token",
  ),
  GRPC_TRUST_DOMAIN: optional(
    "a SPIFFE trust domain such as cluster.local",
    text.regex(/^[a-z0-9._-]{1,255}$/),
  ),
  GRPC_CALLER_NAMESPACES: optional("Kubernetes namespaces, comma-separated", namespaces),
  GRPC_TLS_CERT: optional("the path of a PEM file", path, UNQUOTED),
  GRPC_TLS_KEY: optional("the path of a PEM file", path, UNQUOTED),
  GRPC_TLS_CLIENT_CA: optional("the path of a PEM file", path, UNQUOTED),
  GRPC_CALLERS_GET_CUSTOMER_GROUPS: defaulted(
    CALLERS,
    callers,
    "cart-service,shipping-service,marketing-service,storefront-engine",
  ),
  GRPC_CALLERS_GET_CUSTOMER_SNAPSHOT: defaulted(CALLERS, callers, "checkout-service"),
  GRPC_CALLERS_CONFIRM_ERASURE: optional(CALLERS, callers, {
    absent: "those of GDPR_PARTICIPANTS",
  }),
  GRPC_CALLERS_NOTICES: defaulted(CALLERS, callers, "communication-service"),
  ...restCallers(),
  GDPR_PARTICIPANTS: defaulted(
    "names of other services, comma-separated",
    services.transform((names) => [...new Set(names)]).refine((names) => !names.includes("customer-service")),
    "order-service,payment-service,communication-service",
  ),
  PEER_TLS_CA: optional("the path of a PEM file", path, {
    ...UNQUOTED,
    absent: "the authorities that Deno trusts",
  }),
  PEER_TLS_CERT: optional("the path of a PEM file", path, UNQUOTED),
  PEER_TLS_KEY: optional("the path of a PEM file", path, UNQUOTED),
  PEER_TOKEN_PATH: optional("the path of a file with a token", path, UNQUOTED),
  GDPR_GRACE: optional("a duration of at most 28d, such as 0s, 72h or 14d", duration(MAX_GRACE), {
    absent: "72h; in development with DATABASE_URL 0s",
  }),
  OUTBOX_RETENTION_DAYS: defaulted("a number from 1 to 3650", count(3_650), "7"),
  GDPR_MAX_SIGN_IN_AGE: defaulted(
    "a duration from 1s to 1d, such as 15m",
    duration(MILLISECONDS.d).refine((milliseconds) => milliseconds > 0),
    "15m",
  ),
  GDPR_MARKER_FILE: optional("the path of a file", path, {
    ...UNQUOTED,
    absent: "a restored database is recognized by Kafka only",
  }),
  GDPR_FOUR_EYES: optional("true or false", flag, { absent: "false; in production true" }),
  GDPR_FETCH_WAIT: defaulted(
    "a duration of at most 7d, such as 0s, 72h or 7d",
    duration(MAX_FETCH_WAIT),
    "7d",
  ),
  GDPR_EXPORT_KEY: optional("32 bytes in base64", KEYS.GDPR_EXPORT_KEY, GENERATED),
  GDPR_HASH_KEY: optional(
    "at least 32 bytes in base64, or several keys, comma-separated, the current one first",
    KEYS.GDPR_HASH_KEY,
    GENERATED,
  ),
  GDPR_RECEIPT_KEY: optional(
    "an Ed25519 private key in PKCS#8, as PEM or base64",
    KEYS.GDPR_RECEIPT_KEY,
    GENERATED,
  ),
  GDPR_RECEIPT_PUBLIC_KEYS: optional(PUBLIC_KEYS.expected, PUBLIC_KEYS.schema, {
    absent: "none",
    secret: true,
  }),
  VAULT_ADDR: optional(ADDRESS.expected, location, { absent: "Vault is not used" }),
  VAULT_TOKEN: optional("a token", token, { secret: true }),
  VAULT_K8S_ROLE: optional("the name of a role", text.regex(/^[\w.-]+$/)),
  VAULT_K8S_MOUNT: defaulted("where Kubernetes authentication is mounted", vaultPath, "kubernetes"),
  VAULT_K8S_TOKEN_PATH: defaulted(
    "the path of a service account's token",
    path,
    "/var/run/secrets/kubernetes.io/serviceaccount/token",
    UNQUOTED,
  ),
  VAULT_NAMESPACE: optional("the name of a namespace", vaultPath),
  VAULT_CACERT: optional("the path of a PEM file", path, {
    ...UNQUOTED,
    absent: "the authorities that Deno trusts",
  }),
  VAULT_WAIT: defaulted("a duration of at most 1h, such as 60s", duration(MILLISECONDS.h), "60s"),
};

export type VariableName = keyof typeof VARIABLES;
export type Values = { [Name in VariableName]: z.output<typeof VARIABLES[Name]["schema"]> };

/** Reads each variable. `problems` has a line for each invalid one. */
export function readVariables(env: Environment): { values: Partial<Values>; problems: string[] } {
  return readEach(env, VARIABLES);
}

/** Reads the participants' URLs, such as PEER_ORDER_SERVICE_URL for order-service. */
export function readPeers(env: Environment): { peers: Record<string, URL>; problems: string[] } {
  const names = Object.keys(env).filter((name) => env[name] && /^PEER_[A-Z0-9_]+_URL$/.test(name));
  const { values, problems } = readEach(env, Object.fromEntries(names.map((name) => [name, ADDRESS])));
  const services = Object.entries(values).map(([name, url]) => [serviceOf(name, "_URL"), url]);
  return { peers: Object.fromEntries(services), problems };
}

/** Reads the participants' public keys, such as PEER_ORDER_SERVICE_PUBLIC_KEYS for order-service. */
export function readPeerKeys(
  env: Environment,
): { peerKeys: Record<string, Uint8Array<ArrayBuffer>[]>; problems: string[] } {
  const names = Object.keys(env).filter((name) => env[name] && /^PEER_[A-Z0-9_]+_PUBLIC_KEYS$/.test(name));
  const { values, problems } = readEach(env, Object.fromEntries(names.map((name) => [name, PUBLIC_KEYS])));
  const keys = Object.entries(values).map(([name, keys]) => [
    serviceOf(name, "_PUBLIC_KEYS"),
    (keys as Uint8Array<ArrayBuffer>[]).map((key) => key.slice(-32)), // the end of a SubjectPublicKeyInfo
  ]);
  return { peerKeys: Object.fromEntries(keys), problems };
}

/** The variable with a participant's URL. */
export function peerVariable(service: string): { name: string; expected: string } {
  return { name: `PEER_${service.toUpperCase().replaceAll("-", "_")}_URL`, expected: ADDRESS.expected };
}

function serviceOf(name: string, suffix: string): string {
  return name.slice("PEER_".length, -suffix.length).toLowerCase().replaceAll("_", "-");
}

function readEach(env: Environment, variables: Record<string, Variable<unknown>>) {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, { expected, secret, schema }] of Object.entries(variables)) {
    const given = env[name] || undefined;
    const { success, data } = schema.safeParse(given);
    if (success) values[name] = data;
    else problems.push(`${name}: expected ${expected}${secret ? "" : quote(given)}`);
  }
  return { values, problems };
}

/** A variable for each right of services over REST. */
function restCallers() {
  const variables = Object.entries(SERVICE_RIGHTS).map(([right, services]) => [
    `REST_CALLERS_${right}`,
    defaulted(CALLERS, callers, services.join(",") || "none"),
  ]);
  return Object.fromEntries(variables) as {
    [Right in ServiceRight as `REST_CALLERS_${Right}`]: Variable<string[]>;
  };
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
}

/** Quotes no value with an @, which may contain credentials, and no key or token. */
function quote(given = ""): string {
  if (given.includes("@") || isSecret(given)) return "";
  return `, got ${JSON.stringify(given.length > 40 ? `${given.slice(0, 40)}…` : given)}`;
}

function optional<Value>(
  expected: string,
  schema: z.ZodType<Value, string>,
  more: { absent?: string; secret?: boolean } = {},
): Variable<Value | undefined> {
  return { expected, schema: schema.optional(), ...more };
}

function defaulted<Value>(
  expected: string,
  schema: z.ZodType<Value, string>,
  absent: string,
  more: { secret?: boolean } = {},
): Variable<Value> {
  return { expected, schema: schema.prefault(absent), absent, ...more };
}

/** Bytes in base64. */
function bytes(isKey: (bytes: Uint8Array<ArrayBuffer>) => boolean) {
  return text.transform((base64, context) => {
    try {
      const bytes = Uint8Array.fromBase64(base64);
      if (isKey(bytes)) return bytes;
    } catch { /* not base64 */ }
    context.addIssue("not such a key");
    return z.NEVER;
  });
}

/** Whether the bytes are a bare public key or its SubjectPublicKeyInfo. */
function isEd25519Public(key: Uint8Array): boolean {
  if (key.length === 32) return true;
  try {
    return createPublicKey({ key: Buffer.from(key), format: "der", type: "spki" }).asymmetricKeyType ===
      "ed25519";
  } catch {
    return false;
  }
}

function isEd25519(der: Uint8Array): boolean {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" }).asymmetricKeyType ===
      "ed25519";
  } catch {
    return false;
  }
}
