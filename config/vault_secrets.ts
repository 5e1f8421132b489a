/** What stands where in Vault, and which variables of the environment it becomes. */
import { convertJdbc } from "./jdbc.ts";
import { ADDRESS, type Variable, type VariableName, VARIABLES } from "./variables.ts";

export type Secret = Record<string, unknown>;

export interface Source {
  /** Below the engine. */
  path: string;
  /** It is read when one of these is lacking. */
  gives: readonly string[];
  /** The one of them that has to be there. */
  required?: string;
  /** @param lacks whether the variable is wanted and nobody else gives it */
  convert(secret: Secret, lacks: (variable: string) => boolean): Converted;
}

export interface Converted {
  variables: Record<string, string>;
  /** Lines that begin with the key that is wrong, and quote nothing that stands in Vault. */
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

export const SOURCES: readonly Source[] = [
  {
    path: "customer-service",
    gives: ["DATABASE_URL", ...Object.values(OPTIONAL_KEYS)],
    required: "DATABASE_URL",
    convert(secret, lacks) {
      const keys = Object.entries(OPTIONAL_KEYS).filter(([, variable]) => lacks(variable));
      return join([
        ...(lacks("DATABASE_URL") ? [database(secret)] : []),
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

function database(secret: Secret): Converted {
  const [url, username, password] = ["db.url", "db.username", "db.password"].map((key) =>
    textOf(secret, key)
  );
  if (!url) {
    const missing = Object.entries({ "db.url": url, "db.username": username, "db.password": password });
    const problems = missing.filter(([, value]) => !value).map(([key]) => `${key}: expected, there is none`);
    return { variables: {}, problems, notes: [] };
  }
  const { databaseUrl, problems, unused } = convertJdbc({ url, username, password });
  const notes = unused.length > 0 ? [`db.url: ${unused.join(", ")}: not used, the service has its own`] : [];
  return { variables: databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }, problems, notes };
}

/** Kafka's own names, as its Java clients are configured. */
function kafka(secret: Secret): Converted {
  const brokers = required(secret, "bootstrap.servers", "KAFKA_BROKERS");
  const protocol = textOf(secret, "security.protocol") ?? "PLAINTEXT";
  if (!/^(SASL_)?(PLAINTEXT|SSL)$/.test(protocol)) {
    return join([brokers, wrong("security.protocol: expected PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")]);
  }
  const ssl = variable("KAFKA_SSL", String(protocol.endsWith("SSL") && protocol !== "SASL_PLAINTEXT"));
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
  const contradiction = "security.protocol: expected SASL_SSL or SASL_PLAINTEXT, because a login is there";
  return join([brokers, ssl, ...(unread ? [wrong(contradiction)] : [])]);
}

function required(secret: Secret, key: string, name: VariableName): Converted {
  return textOf(secret, key)
    ? optional(secret, key, name)
    : wrong(`${key}: expected ${VARIABLES[name].expected}, there is none`);
}

function optional(
  secret: Secret,
  key: string,
  name: string,
  { expected, schema }: Variable<unknown> = VARIABLES[name as VariableName],
): Converted {
  if (secret[key] === undefined || secret[key] === "") return join([]);
  const value = textOf(secret, key);
  return value && schema.safeParse(value).success
    ? variable(name, value)
    : wrong(`${key}: expected ${expected}`);
}

/** Whoever puts a number into Vault may mean one with zeros in front; only text is as it was meant. */
function textOf(secret: Secret, key: string): string | undefined {
  const value = Object.hasOwn(secret, key) ? secret[key] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

function variable(name: string, value: string): Converted {
  return { variables: { [name]: value }, problems: [], notes: [] };
}

function wrong(problem: string): Converted {
  return { variables: {}, problems: [problem], notes: [] };
}

function join(parts: readonly Converted[]): Converted {
  return {
    variables: Object.assign({}, ...parts.map(({ variables }) => variables)),
    problems: parts.flatMap(({ problems }) => problems),
    notes: parts.flatMap(({ notes }) => notes),
  };
}
