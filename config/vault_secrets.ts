/** Secrets in Vault, and the environment variables that they become. */
import { convertJdbc } from "./jdbc.ts";
import { ADDRESS, type Variable, type VariableName, VARIABLES } from "./variables.ts";

export type Secret = Record<string, unknown>;

export interface SecretSource {
  /** Path below the engine. */
  path: string;
  /** Variables that it supplies. It is read if one of them is missing. */
  gives: readonly string[];
  /** The variable that it must supply. */
  required?: string;
  /** @param lacks whether the environment lacks the variable */
  convert(secret: Secret, lacks: (variable: string) => boolean): ConvertedSecret;
}

export interface ConvertedSecret {
  variables: Record<string, string>;
  /** One line for each problem. It begins with the key and quotes no value. */
  problems: string[];
  /** Sentences for the log. */
  notes: string[];
}

/** A KV engine of version 2. */
export const ENGINE = "ss3/kv";

const OPTIONAL_KEYS: Record<string, VariableName> = {
  "gdpr.export_key": "GDPR_EXPORT_KEY",
  "gdpr.hash_key": "GDPR_HASH_KEY",
  "gdpr.receipt_key": "GDPR_RECEIPT_KEY",
  "gateway.secret": "GATEWAY_SECRET",
};

export const SOURCES: readonly SecretSource[] = [
  {
    path: "customer-service",
    gives: ["DATABASE_URL", ...Object.values(OPTIONAL_KEYS)],
    required: "DATABASE_URL",
    convert(secret, lacks) {
      const keys = Object.entries(OPTIONAL_KEYS).filter(([, variable]) => lacks(variable));
      return join([
        ...(lacks("DATABASE_URL") ? [database(secret)] : []),
        ...(lacks("DATABASE_URL") && lacks("DATABASE_DIRECT_URL") ? [directDatabase(secret)] : []),
        ...keys.map(([key, variable]) => optional(secret, key, variable)),
      ]);
    },
  },
  { path: "shared/kafka", gives: ["KAFKA_BROKERS"], required: "KAFKA_BROKERS", convert: kafka },
  {
    path: "shared/otel",
    gives: ["OTEL_EXPORTER_OTLP_ENDPOINT"],
    convert: (secret) => optional(secret, "otlp.endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT", ADDRESS),
  },
];

function database(secret: Secret): ConvertedSecret {
  const [url, username, password] = ["db.url", "db.username", "db.password"].map((key) =>
    textOf(secret, key)
  );
  if (!url) {
    const missing = Object.entries({ "db.url": url, "db.username": username, "db.password": password });
    const problems = missing.filter(([, value]) => !value).map(([key]) => `${key}: expected, but missing`);
    return { variables: {}, problems, notes: [] };
  }
  const { databaseUrl, problems, unused } = convertJdbc({ url, username, password });
  const notes = unused.length > 0
    ? [`db.url: ${unused.join(", ")}: ignored, the service has its own settings`]
    : [];
  return { variables: databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }, problems, notes };
}

/**
 * URL of PostgreSQL itself, where `db.url` leads to a transaction pooler. The login is the same. It belongs to `db.url`:
 * with a DATABASE_URL of the environment it could name another database.
 */
function directDatabase(secret: Secret): ConvertedSecret {
  const key = "db.direct_url";
  if (secret[key] === undefined || secret[key] === "") return join([]);
  const [username, password] = ["db.username", "db.password"].map((name) => textOf(secret, name));
  const { databaseUrl, problems } = convertJdbc({ url: textOf(secret, key) ?? "", username, password });
  if (databaseUrl !== undefined) return variable("DATABASE_DIRECT_URL", databaseUrl);
  return { variables: {}, problems: problems.map((problem) => problem.replace(/^db\.url/, key)), notes: [] };
}

/** PEM texts under the names that Java clients use (KIP-651). */
const KAFKA_PEM: Record<string, VariableName> = {
  "ssl.truststore.certificates": "KAFKA_SSL_CA",
  "ssl.keystore.certificate.chain": "KAFKA_SSL_CERT",
  "ssl.keystore.key": "KAFKA_SSL_KEY",
};

/** Kafka settings under the names that Java clients use. */
function kafka(secret: Secret): ConvertedSecret {
  const brokers = required(secret, "bootstrap.servers", "KAFKA_BROKERS");
  const protocol = textOf(secret, "security.protocol") ?? "PLAINTEXT";
  if (!/^(SASL_)?(PLAINTEXT|SSL)$/.test(protocol)) {
    return join([brokers, wrong("security.protocol: expected PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")]);
  }
  const isTls = protocol.endsWith("SSL");
  const ssl = join([
    variable("KAFKA_SSL", String(isTls)),
    ...(isTls ? Object.entries(KAFKA_PEM) : []).map(([key, name]) => optional(secret, key, name)),
  ]);
  if (protocol.startsWith("SASL_")) {
    return join([
      brokers,
      ssl,
      required(secret, "sasl.mechanism", "KAFKA_SASL_MECHANISM"),
      required(secret, "sasl.username", "KAFKA_SASL_USERNAME"),
      required(secret, "sasl.password", "KAFKA_SASL_PASSWORD"),
    ]);
  }
  const unread = Object.keys(secret).some((key) => /^sasl\.(mechanism|username|password)$/.test(key));
  const contradiction =
    "security.protocol: expected SASL_SSL or SASL_PLAINTEXT, because credentials are configured";
  return join([brokers, ssl, ...(unread ? [wrong(contradiction)] : [])]);
}

function required(secret: Secret, key: string, name: VariableName): ConvertedSecret {
  return textOf(secret, key)
    ? optional(secret, key, name)
    : wrong(`${key}: expected ${VARIABLES[name].expected}, but missing`);
}

function optional(
  secret: Secret,
  key: string,
  name: string,
  { expected, schema }: Variable<unknown> = VARIABLES[name as VariableName],
): ConvertedSecret {
  if (secret[key] === undefined || secret[key] === "") return join([]);
  const value = textOf(secret, key);
  return value && schema.safeParse(value).success
    ? variable(name, value)
    : wrong(`${key}: expected ${expected}`);
}

/** Accepts text only: a number may have lost its leading zeros. */
function textOf(secret: Secret, key: string): string | undefined {
  const value = Object.hasOwn(secret, key) ? secret[key] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

function variable(name: string, value: string): ConvertedSecret {
  return { variables: { [name]: value }, problems: [], notes: [] };
}

function wrong(problem: string): ConvertedSecret {
  return { variables: {}, problems: [problem], notes: [] };
}

function join(parts: readonly ConvertedSecret[]): ConvertedSecret {
  return {
    variables: Object.assign({}, ...parts.map(({ variables }) => variables)),
    problems: parts.flatMap(({ problems }) => problems),
    notes: parts.flatMap(({ notes }) => notes),
  };
}
