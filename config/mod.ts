/** Configuration, read once at start from the environment. */
import type { ServicesOfReaders } from "../domain/processing.ts";
import { SERVICE_RIGHTS, type ServiceCallers, type ServiceRight } from "../domain/service_rights.ts";
import { contradictions } from "./rules.ts";
import { type Environment, readPeerKeys, readPeers, readVariables, type Values } from "./variables.ts";

export interface KafkaConfig {
  brokers: string[];
  ssl: boolean;
  /** PEM, or the path of a PEM file: certificate authorities to trust instead of the default ones. */
  ca?: string;
  /** PEM or paths: client certificate of this service. */
  identity?: { certificate: string; key: string };
  sasl?: { mechanism: "plain" | "scram-sha-256" | "scram-sha-512"; username: string; password: string };
  /** For topics that the service creates. */
  partitions: number;
  replicationFactor: number;
}

/** Accepted tokens. */
export type TokenConfig =
  | {
    from: "jwks";
    jwksUrl: URL;
    /** Path of a PEM file: certificate authorities to trust instead of the default ones. */
    jwksCa?: string;
    issuer: string;
    audience: string;
    /** Accepted values of the header parameter `typ`; "none": no `typ`. */
    types: readonly string[];
  }
  /** The built-in issuer for development. Its key is stored in the data directory. */
  | { from: "development" };

/** Service names by client ID, where the two differ. */
export type ServiceClients = Readonly<Record<string, string>>;

/** Authentication of HTTP callers. */
export type AuthConfig =
  | { mode: "jwt"; tokens: TokenConfig; clients: ServiceClients }
  /** The platform's gateway authenticates them and sends headers. Tokens, if any, are for gRPC callers. */
  | {
    mode: "gateway";
    tokens: TokenConfig | undefined;
    /** The gateway sends one of these secrets. Empty in development only. */
    secrets: readonly string[];
    clients: ServiceClients;
  };

/** Accepted SPIFFE IDs: `spiffe://<trustDomain>/ns/<namespace>/sa/<service>`. */
export interface SpiffeConfig {
  trustDomain: string;
  namespaces: readonly string[];
}

/** Authentication of gRPC callers. */
export type GrpcAuthConfig =
  | { mode: "mtls" | "mesh" } & SpiffeConfig
  | { mode: "token"; clients: ServiceClients }
  | { mode: "none" };

/** TLS of the gRPC port. All values are paths of PEM files. */
export interface GrpcTlsConfig {
  certificate: string;
  key: string;
  /** Certificate authority of the callers. Present with mtls only. */
  clientCa?: string;
}

/** Authentication between participants and this service. All values are paths of files. */
export interface PeerAccessConfig {
  /** PEM: certificate authorities to trust instead of the default ones. */
  ca?: string;
  /** PEM: client certificate of this service. */
  identity?: { certificate: string; key: string };
  /** Token to send with every call. */
  tokenPath?: string;
}

/** Settings of GDPR requests. */
export interface GdprConfig {
  /** The other services that hold personal data. */
  participants: string[];
  /** Path of the file with the marker by which a restored database is recognized without Kafka. Undefined: none. */
  markerFile: string | undefined;
  /** Grace period in which the subject may cancel an erasure, in milliseconds. */
  graceMs: number;
  /** Age of the sign-in up to which a customer may request the own erasure, in milliseconds. */
  maxSignInAgeMs: number;
  /** Whether a second person confirms waivers, and erasures that the subject has not requested. */
  fourEyes: boolean;
  /** Time that an erasure waits for the subject to download documents, in milliseconds. */
  fetchWaitMs: number;
  /** URLs by service name. In development a participant may be missing. */
  peers: Record<string, URL>;
  peerAccess: PeerAccessConfig;
  /** Ed25519 public keys with which participants sign confirmations, 32 bytes each, by service name. */
  peerKeys: Record<string, Uint8Array<ArrayBuffer>[]>;
  /** Undefined: a key that development generates and stores in the data directory. */
  keys: {
    /** 32 bytes. */
    exportKey: Uint8Array<ArrayBuffer> | undefined;
    /** At least 32 bytes each: the current key, followed by earlier ones. */
    hashKeys: [Uint8Array<ArrayBuffer>, ...Uint8Array<ArrayBuffer>[]] | undefined;
    /** An Ed25519 private key in PKCS#8. */
    receiptKey: Uint8Array<ArrayBuffer> | undefined;
    /** Public keys of earlier receipt keys: bare, or in a SubjectPublicKeyInfo. */
    receiptPublicKeys: readonly Uint8Array<ArrayBuffer>[];
  };
}

/** Methods of CustomerService with a list of allowed callers. */
export type GrpcMethod =
  | "GetCustomerGroups"
  | "GetCustomerSnapshot"
  | "ConfirmErasure"
  | "GetNotice"
  | "ConfirmNotice";

/** Limits of HTTP requests, and their origins. */
export interface HttpConfig {
  /** Number of trusted proxies, each of which appends to X-Forwarded-For. */
  trustedProxies: number;
  /** Requests a minute; 0: no limit. */
  ratePerPrincipal: number;
  ratePerAddress: number;
  /** Origins of the pages that may read responses. Empty: none. */
  corsOrigins: readonly string[];
}

export interface Config {
  production: boolean;
  /** Parts that the process runs; edge: GetCustomerGroups from a replica, and nothing else. */
  roles: "all" | "edge";
  bind: string;
  /** 0: any free port. */
  httpPort: number;
  http: HttpConfig;
  /** 0: any free port. */
  grpcPort: number;
  /** Number of processes that share the ports. */
  workers: number;
  /** Maximum HTTP requests in flight per process. Further ones are refused. */
  maxInFlight: number;
  /** Maximum gRPC calls in flight per process, a separate limit. */
  grpcMaxInFlight: number;
  /** Time for which the service still accepts requests after a shutdown signal, in milliseconds. It reports "not ready". */
  shutdownDelayMs: number;
  /** Undefined: the embedded PostgreSQL. */
  databaseUrl: string | undefined;
  /** URL of PostgreSQL itself, where `databaseUrl` leads to a transaction pooler. */
  databaseDirectUrl: string | undefined;
  /** URL of a replica that serves lookups. Undefined: `databaseUrl` serves them. */
  databaseReadUrl: string | undefined;
  /** Largest age of an answer of the replica, in milliseconds. */
  databaseReadMaxLagMs: number;
  /** How long a start waits for a database that cannot be reached, in milliseconds. */
  databaseWaitMs: number;
  /** Connections per process of the pool that writes. */
  databasePoolSize: number;
  /** Folder of development's database and keys. */
  dataDirectory: string;
  /** Undefined: events go to the console. */
  kafka: KafkaConfig | undefined;
  /** Retention of published events and performed effects. */
  outboxRetentionMs: number;
  eventFormat: "protobuf" | "json";
  /** CloudEvents' `source`, a URI reference. */
  eventSource: string;
  auth: AuthConfig;
  grpcAuth: GrpcAuthConfig;
  /** Undefined: the port has no TLS. */
  grpcTls: GrpcTlsConfig | undefined;
  /** Allowed callers by method. */
  grpcCallers: Record<GrpcMethod, readonly string[]>;
  /** Services with each right over REST. */
  restCallers: ServiceCallers;
  gdpr: GdprConfig;
}

/** The configuration is invalid. The message is for the person who started the service. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/**
 * Reads the configuration. An empty variable counts as absent.
 *
 * @throws {ConfigError} naming every invalid and every missing variable, each on a line with the expected value
 */
export function readConfig(env: Environment): Config {
  const { values, problems } = readVariables(env);
  const { peers, problems: wrongPeers } = readPeers(env);
  const { peerKeys, problems: wrongKeys } = readPeerKeys(env);
  problems.push(...wrongPeers, ...wrongKeys, ...contradictions(env, values, peers));
  if (problems.length > 0) {
    throw new ConfigError(["Cannot start: the environment is wrong", ...problems].join("\n  "));
  }
  return assemble(values as Values, { peers, peerKeys });
}

/** A customer who has not requested the erasure has three days to notice it. The demo store shows that. */
const GRACE_MS = 72 * 60 * 60_000;

function assemble(values: Values, participants: Pick<GdprConfig, "peers" | "peerKeys">): Config {
  const production = values.DENO_ENV === "production";
  return {
    production,
    roles: values.ROLES,
    bind: values.BIND ?? (production ? "0.0.0.0" : "127.0.0.1"),
    httpPort: values.HTTP_PORT,
    http: {
      trustedProxies: values.TRUSTED_PROXIES,
      ratePerPrincipal: values.RATE_LIMIT_PRINCIPAL,
      ratePerAddress: values.RATE_LIMIT_ADDRESS,
      corsOrigins: values.CORS_ORIGINS ?? [],
    },
    grpcPort: values.GRPC_PORT,
    workers: values.WORKERS,
    maxInFlight: values.MAX_IN_FLIGHT,
    grpcMaxInFlight: values.GRPC_MAX_IN_FLIGHT,
    shutdownDelayMs: values.SHUTDOWN_DELAY ?? (production ? 3_000 : 0),
    databaseUrl: values.DATABASE_URL,
    databaseDirectUrl: values.DATABASE_DIRECT_URL,
    databaseReadUrl: values.DATABASE_READ_URL,
    databaseReadMaxLagMs: values.DATABASE_READ_MAX_LAG,
    databaseWaitMs: values.DATABASE_WAIT,
    databasePoolSize: values.DB_POOL_SIZE,
    dataDirectory: values.DATA_DIR,
    kafka: kafka(values, production),
    outboxRetentionMs: values.OUTBOX_RETENTION_DAYS * 86_400_000,
    eventFormat: values.EVENT_FORMAT,
    eventSource: values.EVENT_SOURCE,
    auth: auth(values),
    grpcAuth: grpcAuth(values),
    grpcTls: grpcTls(values),
    grpcCallers: {
      GetCustomerGroups: values.GRPC_CALLERS_GET_CUSTOMER_GROUPS,
      GetCustomerSnapshot: values.GRPC_CALLERS_GET_CUSTOMER_SNAPSHOT,
      ConfirmErasure: values.GRPC_CALLERS_CONFIRM_ERASURE ?? values.GDPR_PARTICIPANTS,
      GetNotice: values.GRPC_CALLERS_NOTICES,
      ConfirmNotice: values.GRPC_CALLERS_NOTICES,
    },
    restCallers: restCallers(values),
    gdpr: {
      participants: values.GDPR_PARTICIPANTS,
      graceMs: values.GDPR_GRACE ?? (production || values.DATABASE_URL === undefined ? GRACE_MS : 0),
      maxSignInAgeMs: values.GDPR_MAX_SIGN_IN_AGE,
      markerFile: values.GDPR_MARKER_FILE,
      fourEyes: values.GDPR_FOUR_EYES ?? production,
      fetchWaitMs: values.GDPR_FETCH_WAIT,
      ...participants,
      peerAccess: peerAccess(values),
      keys: {
        exportKey: values.GDPR_EXPORT_KEY,
        hashKeys: values.GDPR_HASH_KEY,
        receiptKey: values.GDPR_RECEIPT_KEY,
        receiptPublicKeys: values.GDPR_RECEIPT_PUBLIC_KEYS ?? [],
      },
    },
  };
}

/** Returns the services that may read data of customers, by what the configuration grants them. */
export function servicesOf({ restCallers, grpcCallers, gdpr }: Config): ServicesOfReaders {
  const { GetCustomerGroups, GetCustomerSnapshot } = grpcCallers;
  return { ...restCallers, GetCustomerGroups, GetCustomerSnapshot, PARTICIPANTS: gdpr.participants };
}

function kafka(values: Values, production: boolean): KafkaConfig | undefined {
  if (!values.KAFKA_BROKERS) return undefined;
  const { KAFKA_SSL_CA: ca, KAFKA_SSL_CERT: certificate, KAFKA_SSL_KEY: key } = values;
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } =
    values;
  return {
    brokers: values.KAFKA_BROKERS,
    ssl: values.KAFKA_SSL,
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && key !== undefined && { identity: { certificate, key } }),
    ...(mechanism && username && password ? { sasl: { mechanism, username, password } } : {}),
    partitions: values.KAFKA_PARTITIONS,
    replicationFactor: values.KAFKA_REPLICATION_FACTOR ?? (production ? 3 : 1),
  };
}

function auth(values: Values): AuthConfig {
  const { JWT_JWKS_URL: jwksUrl, JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_TYP: types } = values;
  const jwksCa = values.JWT_JWKS_CA;
  const tokens: TokenConfig = jwksUrl && issuer && audience
    ? { from: "jwks", jwksUrl, ...(jwksCa !== undefined && { jwksCa }), issuer, audience, types }
    : { from: "development" };
  const clients = values.SERVICE_CLIENTS ?? {};
  if (values.AUTH_MODE === "jwt") return { mode: "jwt", tokens, clients };
  return {
    mode: "gateway",
    tokens: values.GRPC_AUTH === "token" ? tokens : undefined,
    secrets: values.GATEWAY_SECRET ?? [],
    clients,
  };
}

function restCallers(values: Values): ServiceCallers {
  const rights = Object.keys(SERVICE_RIGHTS) as ServiceRight[];
  return Object.fromEntries(
    rights.map((right) => [right, values[`REST_CALLERS_${right}`]]),
  ) as unknown as ServiceCallers;
}

function grpcAuth(values: Values): GrpcAuthConfig {
  if (values.GRPC_AUTH === "none") return { mode: "none" };
  if (values.GRPC_AUTH === "token") return { mode: "token", clients: values.SERVICE_CLIENTS ?? {} };
  const { GRPC_TRUST_DOMAIN: trustDomain, GRPC_CALLER_NAMESPACES: namespaces } = values;
  if (!trustDomain || !namespaces) {
    throw new Error(`${values.GRPC_AUTH} without identities passed the validation`);
  }
  return { mode: values.GRPC_AUTH, trustDomain, namespaces };
}

function grpcTls(values: Values): GrpcTlsConfig | undefined {
  const { GRPC_TLS_CERT: certificate, GRPC_TLS_KEY: key, GRPC_TLS_CLIENT_CA: clientCa } = values;
  if (values.GRPC_AUTH === "mtls" && !clientCa) throw new Error("mtls without files passed the validation");
  if (!certificate || !key) return undefined;
  return { certificate, key, ...(clientCa && { clientCa }) };
}

function peerAccess(values: Values): PeerAccessConfig {
  const { PEER_TLS_CA: ca, PEER_TLS_CERT: certificate, PEER_TLS_KEY: key, PEER_TOKEN_PATH: tokenPath } =
    values;
  return {
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && key !== undefined && { identity: { certificate, key } }),
    ...(tokenPath !== undefined && { tokenPath }),
  };
}
