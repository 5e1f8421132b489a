/** Validation across variables, and additional requirements of production. */
import {
  type Environment,
  KEYS,
  peerVariable,
  type Values,
  type VariableName,
  VARIABLES,
} from "./variables.ts";

const TOGETHER: readonly (readonly VariableName[])[] = [
  ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"],
  ["JWT_JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"],
  ["KAFKA_SSL_CERT", "KAFKA_SSL_KEY"],
  ["PEER_TLS_CERT", "PEER_TLS_KEY"],
];
const GRPC_TLS_FILES: readonly VariableName[] = ["GRPC_TLS_CERT", "GRPC_TLS_KEY"];
const MTLS_FILES: readonly VariableName[] = [...GRPC_TLS_FILES, "GRPC_TLS_CLIENT_CA"];
const IDENTITIES: readonly VariableName[] = ["GRPC_TRUST_DOMAIN", "GRPC_CALLER_NAMESPACES"];
const KAFKA_TLS: readonly VariableName[] = ["KAFKA_SSL_CA", "KAFKA_SSL_CERT", "KAFKA_SSL_KEY"];
const PEER_TLS_FILES: readonly VariableName[] = ["PEER_TLS_CA", "PEER_TLS_CERT", "PEER_TLS_KEY"];

/**
 * Returns a line for each violated rule.
 *
 * @param values valid variables; an invalid one has its own message, which no rule repeats
 * @param peers participants with a valid URL
 */
export function contradictions(
  env: Environment,
  values: Partial<Values>,
  peers: Readonly<Record<string, URL>>,
): string[] {
  const isSet = (name: VariableName) => Boolean(env[name]);
  return [
    ...halfGiven(isSet, TOGETHER),
    ...sharedPort(values),
    ...manyWorkers(isSet, values),
    ...directDatabase(isSet),
    ...readDatabase(isSet, values),
    ...grpcAuth(isSet, values),
    ...grpcIdentities(isSet, values),
    ...unreadKafkaTls(isSet, values),
    ...unreadAuthority(isSet, values),
    ...peerAccess(isSet, peers),
    ...vaultContradictions(env, values),
    ...values.DENO_ENV === "production"
      ? [
        ...developmentIssuer(isSet, values),
        ...values.ROLES === "edge" ? [] : [
          ...developmentDefaults(isSet),
          ...unprovenGateway(isSet, values),
          ...missingPeers(env, values),
        ],
        ...plaintext(values, { JWT_JWKS_URL: values.JWT_JWKS_URL, ...urlsOf(peers) }),
      ]
      : [],
  ];
}

type IsSet = (name: VariableName) => boolean;

function halfGiven(isSet: IsSet, groups: readonly (readonly VariableName[])[]): string[] {
  return groups.filter((names) => names.some(isSet)).flatMap((names) =>
    names.filter((name) => !isSet(name)).map((name) =>
      expected(name, `together with ${names.filter(isSet).join(" and ")}`)
    )
  );
}

function sharedPort({ HTTP_PORT, GRPC_PORT }: Partial<Values>): string[] {
  const same = HTTP_PORT !== undefined && HTTP_PORT !== 0 && HTTP_PORT === GRPC_PORT;
  return same ? [`GRPC_PORT: expected a port that differs from HTTP_PORT, got ${GRPC_PORT}`] : [];
}

/** Several processes cannot share port 0 or an embedded database. */
function manyWorkers(isSet: IsSet, { WORKERS = 1, DENO_ENV, ...values }: Partial<Values>): string[] {
  if (WORKERS === 1) return [];
  const problems = (["HTTP_PORT", "GRPC_PORT"] as const).filter((name) => values[name] === 0).map((name) =>
    `${name}: expected a port, because ${WORKERS} WORKERS share it, got 0`
  );
  if (!isSet("DATABASE_URL") && DENO_ENV !== "production" && values.ROLES !== "edge") {
    problems.push(
      expected("DATABASE_URL", `because ${WORKERS} WORKERS cannot share the embedded PostgreSQL`),
    );
  }
  return problems;
}

function directDatabase(isSet: IsSet): string[] {
  if (isSet("DATABASE_URL") || !isSet("DATABASE_DIRECT_URL")) return [];
  return ["DATABASE_DIRECT_URL: expected together with a DATABASE_URL that leads to a pooler"];
}

function readDatabase(isSet: IsSet, { ROLES, DENO_ENV }: Partial<Values>): string[] {
  if (ROLES === "edge") {
    return isSet("DATABASE_READ_URL") ? [] : [expected("DATABASE_READ_URL", "because ROLES is edge")];
  }
  if (!isSet("DATABASE_READ_URL") || isSet("DATABASE_URL") || DENO_ENV === "production") return [];
  return [expected("DATABASE_URL", "together with DATABASE_READ_URL, unless ROLES is edge")];
}

/** Also refuses files that the mode does not read: an operator who sets them expects client certificates. */
function grpcAuth(isSet: IsSet, values: Partial<Values>): string[] {
  if (values.GRPC_AUTH === "mtls") {
    return MTLS_FILES.filter((name) => !isSet(name)).map((name) =>
      expected(name, "because GRPC_AUTH is mtls")
    );
  }
  const problems = halfGiven(isSet, [GRPC_TLS_FILES]);
  if (values.GRPC_AUTH !== undefined && isSet("GRPC_TLS_CLIENT_CA")) {
    problems.push(`GRPC_TLS_CLIENT_CA: expected with GRPC_AUTH=mtls only, GRPC_AUTH is ${values.GRPC_AUTH}`);
  }
  const exposed = values.BIND !== undefined && !isLoopback(values.BIND);
  if (values.GRPC_AUTH === "none" && exposed) {
    problems.push(`GRPC_AUTH: expected mtls, mesh or token, because BIND is ${values.BIND} and not loopback`);
  }
  return problems;
}

/** Requires the identities that the mode reads and refuses those that it does not. */
function grpcIdentities(isSet: IsSet, { GRPC_AUTH: mode }: Partial<Values>): string[] {
  if (mode === undefined) return [];
  if (mode === "mtls" || mode === "mesh") {
    return IDENTITIES.filter((name) => !isSet(name)).map((name) =>
      expected(name, `because GRPC_AUTH is ${mode}`)
    );
  }
  return IDENTITIES.filter(isSet).map((name) =>
    `${name}: expected with GRPC_AUTH=mtls or mesh only, GRPC_AUTH is ${mode}`
  );
}

function unprovenGateway(isSet: IsSet, { AUTH_MODE }: Partial<Values>): string[] {
  if (AUTH_MODE !== "gateway" || isSet("GATEWAY_SECRET")) return [];
  return [expected("GATEWAY_SECRET", "because without it anyone who reaches the port is trusted")];
}

/** Requires TLS for token keys, personal data and secrets, except for hosts that the operator names. */
function plaintext(values: Partial<Values>, urls: Readonly<Record<string, URL | undefined>>): string[] {
  return Object.entries(urls).flatMap(([name, url]) => {
    if (url?.protocol !== "http:" || isLoopback(url.hostname)) return [];
    if (values.PLAINTEXT_HOSTS?.includes(url.hostname)) return [];
    return [`${name}: expected https in production, or ${url.hostname} as one of PLAINTEXT_HOSTS`];
  });
}

function urlsOf(peers: Readonly<Record<string, URL>>): Record<string, URL> {
  return Object.fromEntries(Object.entries(peers).map(([service, url]) => [peerVariable(service).name, url]));
}

/** Refuses TLS settings of an unencrypted connection, which an operator may believe to be encrypted. */
function unreadKafkaTls(isSet: IsSet, { KAFKA_SSL }: Partial<Values>): string[] {
  if (KAFKA_SSL !== false) return [];
  return KAFKA_TLS.filter(isSet).map((name) => `${name}: expected with KAFKA_SSL=true only`);
}

function unreadAuthority(isSet: IsSet, { JWT_JWKS_URL: url }: Partial<Values>): string[] {
  if (!isSet("JWT_JWKS_CA") || url?.protocol === "https:") return [];
  if (isSet("JWT_JWKS_URL") && !url) return []; // it has its own message
  return ["JWT_JWKS_CA: expected with an https JWT_JWKS_URL only"];
}

/** Refuses to send a token in plain text, and TLS files that no participant uses. */
function peerAccess(isSet: IsSet, peers: Readonly<Record<string, URL>>): string[] {
  const all = Object.entries(peers);
  const problems = all.some(([, url]) => url.protocol === "https:")
    ? []
    : PEER_TLS_FILES.filter(isSet).map((name) => `${name}: expected with an https PEER_<NAME>_URL only`);
  const readable = all.filter(([, { protocol, hostname }]) => protocol === "http:" && !isLoopback(hostname));
  if (isSet("PEER_TOKEN_PATH")) {
    problems.push(
      ...readable.map(([service]) =>
        `${peerVariable(service).name}: expected https, because PEER_TOKEN_PATH is sent there`
      ),
    );
  }
  return problems;
}

/** @param host as in BIND or in a URL */
export function isLoopback(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|::1|\[::1\]|localhost)$/.test(host);
}

/** Validates the Vault variables, before Vault supplies the others. */
export function vaultContradictions(env: Environment, values: Partial<Values>): string[] {
  const isSet = (name: VariableName) => Boolean(env[name]);
  if (!isSet("VAULT_ADDR")) {
    const others = VAULT.filter((name) => isSet(name) && values[name] !== undefined);
    return others.length > 0 ? [expected("VAULT_ADDR", `together with ${others.join(" and ")}`)] : [];
  }
  const problems: string[] = [];
  if (values.VAULT_ADDR && !isSet("VAULT_TOKEN") && !isSet("VAULT_K8S_ROLE")) {
    problems.push("VAULT_TOKEN: expected a token, or VAULT_K8S_ROLE instead, together with VAULT_ADDR");
  }
  if (values.VAULT_TOKEN && values.VAULT_K8S_ROLE) {
    problems.push("VAULT_K8S_ROLE: expected without VAULT_TOKEN, because only one of the two can log in");
  }
  if (isSet("VAULT_TOKEN") && !isSet("VAULT_K8S_ROLE")) {
    const unread = (["VAULT_K8S_MOUNT", "VAULT_K8S_TOKEN_PATH"] as const).filter((name) =>
      isSet(name) && values[name] !== undefined
    );
    problems.push(...unread.map((name) => `${name}: expected with VAULT_K8S_ROLE only`));
  }
  if (isSet("VAULT_CACERT") && values.VAULT_ADDR?.protocol === "http:") {
    problems.push("VAULT_CACERT: expected with https only, VAULT_ADDR is http");
  }
  if (values.DENO_ENV === "production") {
    problems.push(...plaintext(values, { VAULT_ADDR: values.VAULT_ADDR }));
  }
  return problems;
}

const VAULT = (Object.keys(VARIABLES) as VariableName[]).filter((name) =>
  name.startsWith("VAULT_") && name !== "VAULT_ADDR"
);

function developmentDefaults(isSet: IsSet): string[] {
  const problems: string[] = [];
  if (!isSet("DATABASE_URL")) {
    problems.push(expected("DATABASE_URL", "because the embedded PostgreSQL is refused in production"));
  }
  if (!isSet("KAFKA_BROKERS")) {
    problems.push(expected("KAFKA_BROKERS", "because the console sink is refused in production"));
  }
  if (!isSet("TRUSTED_PROXIES")) {
    const why = "because production limits requests by the client address that your outermost proxy received";
    problems.push(expected("TRUSTED_PROXIES", `${why}; 0 where clients connect directly`));
  }
  for (const name of Object.keys(KEYS) as (keyof typeof KEYS)[]) {
    if (!isSet(name)) {
      problems.push(expected(name, "because generated keys are refused in production"));
    }
  }
  return problems;
}

/** An edge authenticates gRPC callers only. */
function developmentIssuer(isSet: IsSet, { ROLES, AUTH_MODE, GRPC_AUTH }: Partial<Values>): string[] {
  const problems: string[] = [];
  const jwt = ["JWT_JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"] as const;
  const readsTokens = GRPC_AUTH === "token" || (AUTH_MODE === "jwt" && ROLES !== "edge");
  if (readsTokens && !jwt.some(isSet)) {
    const why = "because the built-in issuer is refused in production";
    problems.push(...jwt.map((name) => expected(name, why)));
  }
  if (GRPC_AUTH === "none") {
    problems.push("GRPC_AUTH: expected mtls, mesh or token, because none is refused in production");
  }
  return problems;
}

function missingPeers(env: Environment, { GDPR_PARTICIPANTS = [] }: Partial<Values>): string[] {
  return GDPR_PARTICIPANTS.flatMap((service) => {
    const { name, expected } = peerVariable(service);
    if (env[name]) return [];
    return [`${name}: expected ${expected}, because ${service} is one of GDPR_PARTICIPANTS`];
  });
}

function expected(name: VariableName, why: string): string {
  return `${name}: expected ${VARIABLES[name].expected}, ${why}`;
}
