/** Converts a JDBC URL to a DATABASE_URL. Refuses parameters that have no equivalent. */
import { isPostgresUrl, SSL_MODES, verifies } from "./database_url.ts";
import { isPath } from "./path.ts";

export interface Jdbc {
  url: string;
  username: string | undefined;
  password: string | undefined;
}

export interface ConvertedJdbc {
  /** A DATABASE_URL; undefined when there are problems. */
  databaseUrl: string | undefined;
  /** One line for each problem. It begins with the key in Vault and quotes no value. */
  problems: string[];
  /** Ignored parameters: the driver has its own settings. */
  unused: string[];
}

/** Parameters that are converted, and PostgreSQL's names of those that are passed to the server. */
const CONVERTED = ["user", "password", "ssl", "sslmode", "sslrootcert", "targetServerType", "currentSchema"];
const PASSED_ON: Record<string, string> = {
  ApplicationName: "application_name",
};
/** Timeouts, buffers and caches of the Java driver, which do not affect security or results. */
const UNUSED = [
  ...["connectTimeout", "socketTimeout", "loginTimeout", "cancelSignalTimeout", "tcpKeepAlive", "tcpNoDelay"],
  ...["prepareThreshold", "preparedStatementCacheQueries", "preparedStatementCacheSizeMiB"],
  ...["defaultRowFetchSize", "reWriteBatchedInserts", "binaryTransfer", "stringtype", "autosave"],
  ...["receiveBufferSize", "sendBufferSize", "logUnclosedConnections", "loadBalanceHosts"],
];
/** Unsupported parameters that affect security or results, each with the supported alternative. */
const REFUSED = new Map(Object.entries({
  sslcert: "no client certificate",
  sslkey: "no client certificate",
  sslpassword: "no client certificate",
  sslfactory: "sslmode instead",
  sslhostnameverifier: "sslmode instead",
  sslNegotiation: "TLS by request",
  channelBinding: "sslmode=verify-full instead",
  requireAuth: "no such parameter",
  gssEncMode: "TLS instead",
  socketFactory: "no such parameter",
  options: "settings of the database role instead",
  service: "the host instead",
}));
const URL_FORM = "db.url: expected jdbc:postgresql://host:port/name?…, percent-encoded";
const HOST = /^[A-Za-z0-9._-]+(:\d{1,5})?$/;
/** The driver does not decode the name. */
const NAME = /^[\w.$~-]+$/;

export function convertJdbc({ url, username, password }: Jdbc): ConvertedJdbc {
  const [, host, name, query] = url.match(/^jdbc:postgresql:\/\/([^/?#]*)\/([^/?#]*)(?:\?([^#]*))?$/) ?? [];
  const parameters = readParameters(query ?? "");
  if (!host || !name || !parameters) return { databaseUrl: undefined, problems: [URL_FORM], unused: [] };
  const problems = [
    ...location(host, name),
    ...refusals(parameters),
    ...readCredential(parameters, "user", username),
    ...readCredential(parameters, "password", password),
  ];
  const unused = UNUSED.filter((name) => parameters.has(name));
  const databaseUrl = problems.length > 0 ? undefined : build(host, name, parameters, { username, password });
  if (databaseUrl === undefined || isPostgresUrl(databaseUrl)) return { databaseUrl, problems, unused };
  return { databaseUrl: undefined, problems: [URL_FORM], unused };
}

/** Parses parameters like the JDBC driver: "+" is literal, a bare name has an empty value, the last duplicate wins. */
function readParameters(query: string): Map<string, string> | undefined {
  try {
    return new Map(
      query.split("&").filter(Boolean).map((pair) => {
        const [name = "", ...value] = pair.split("=");
        return [decodeURIComponent(name), decodeURIComponent(value.join("="))];
      }),
    );
  } catch {
    return undefined;
  }
}

function location(host: string, name: string): string[] {
  const problems: string[] = [];
  if (host.includes(",")) {
    problems.push("db.url: expected one host; for several servers, a DNS name that follows the primary");
  } else if (!HOST.test(host)) {
    problems.push("db.url: expected a host name or IPv4 address, and optionally a port");
  }
  if (!NAME.test(name)) problems.push("db.url: expected a database name of letters, digits, _ . $ ~ and -");
  return problems;
}

/** Unknown parameters are not quoted: they may be the rest of a password that was not encoded. */
function refusals(parameters: Map<string, string>): string[] {
  const problems: string[] = [];
  const known = [...CONVERTED, ...Object.keys(PASSED_ON), ...UNUSED];
  for (const [at, name] of [...parameters.keys()].entries()) {
    const alternative = REFUSED.get(name);
    if (alternative) problems.push(`db.url: ${name}: expected ${alternative}`);
    else if (!known.includes(name)) problems.push(`db.url: parameter ${at + 1}: unknown`);
  }
  const mode = parameters.get("sslmode");
  const ssl = parameters.get("ssl");
  const root = parameters.get("sslrootcert");
  if (mode !== undefined && !SSL_MODES.includes(mode)) {
    problems.push(`db.url: sslmode: expected ${SSL_MODES.join(", ")}`);
  }
  if (ssl !== undefined && !["", "true", "false"].includes(ssl)) {
    problems.push("db.url: ssl: expected true or false");
  }
  if (root !== undefined && !(isPath(root) && verifies(sslMode(parameters)))) {
    problems.push(
      "db.url: sslrootcert: expected a path, with ssl=true or sslmode=require, verify-ca or verify-full",
    );
  }
  const server = parameters.get("targetServerType");
  if (server !== undefined && !["any", "primary", "master"].includes(server)) {
    problems.push("db.url: targetServerType: expected primary or any, because the service writes");
  }
  if ((parameters.get("currentSchema") ?? "public") !== "public") {
    problems.push("db.url: currentSchema: expected public, because the tables are in that schema");
  }
  return problems;
}

function readCredential(
  parameters: Map<string, string>,
  parameter: string,
  value: string | undefined,
): string[] {
  const key = parameter === "user" ? "db.username" : "db.password";
  const other = parameters.get(parameter);
  if (!other && !value) return [`${key}: expected, but missing`];
  return other && value && other !== value
    ? [`${key}: expected the same as in db.url, or in one of the two only`]
    : [];
}

/** The JDBC driver's defaults: `prefer`, and with ssl=true `verify-full`. */
function sslMode(parameters: Map<string, string>): string {
  const ssl = parameters.get("ssl");
  return parameters.get("sslmode") ?? (ssl === "" || ssl === "true" ? "verify-full" : "prefer");
}

function build(
  host: string,
  name: string,
  parameters: Map<string, string>,
  { username, password }: Omit<Jdbc, "url">,
): string | undefined {
  if (!URL.canParse(`postgres://${host}/${name}`)) return undefined;
  const url = new URL(`postgres://${host}/${name}`);
  url.username = encodeURIComponent(username || parameters.get("user") || "");
  url.password = encodeURIComponent(password || parameters.get("password") || "");
  url.searchParams.set("sslmode", sslMode(parameters));
  const root = parameters.get("sslrootcert");
  if (root) url.searchParams.set("sslrootcert", root);
  for (const [jdbcName, name] of Object.entries(PASSED_ON)) {
    const value = parameters.get(jdbcName);
    if (value) url.searchParams.set(name, value);
  }
  return url.href;
}
