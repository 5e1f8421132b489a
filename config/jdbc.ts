/** Turns the JDBC URL that other services share into a DATABASE_URL, and refuses by name what that cannot say. */
import { isPostgresUrl, SSL_MODES, verifies } from "./database_url.ts";
import { isPath } from "./path.ts";

export interface Jdbc {
  url: string;
  username: string | undefined;
  password: string | undefined;
}

export interface Converted {
  /** A DATABASE_URL; undefined when there are problems. */
  databaseUrl: string | undefined;
  /** Lines that begin with what of the three is wrong, and quote none of it. */
  problems: string[];
  /** Parameters that mean nothing to the driver, which has limits of its own. */
  unused: string[];
}

/** JDBC's parameters that are taken over, and what PostgreSQL calls those that go to the server as they are. */
const TAKEN = ["user", "password", "ssl", "sslmode", "sslrootcert", "targetServerType"];
const PASSED_ON: Record<string, string> = {
  currentSchema: "search_path",
  ApplicationName: "application_name",
};
/** How a Java client waits, buffers and prepares; nothing of what is asked or shown depends on it. */
const UNUSED = [
  ...["connectTimeout", "socketTimeout", "loginTimeout", "cancelSignalTimeout", "tcpKeepAlive", "tcpNoDelay"],
  ...["prepareThreshold", "preparedStatementCacheQueries", "preparedStatementCacheSizeMiB"],
  ...["defaultRowFetchSize", "reWriteBatchedInserts", "binaryTransfer", "stringtype", "autosave"],
  ...["receiveBufferSize", "sendBufferSize", "logUnclosedConnections", "loadBalanceHosts"],
];
/** What is asked of the connection's safety and cannot be done, and what may be said in its place. */
const REFUSED = new Map(Object.entries({
  sslcert: "no certificate of the client",
  sslkey: "no certificate of the client",
  sslpassword: "no certificate of the client",
  sslfactory: "sslmode in its place",
  sslhostnameverifier: "sslmode in its place",
  sslNegotiation: "TLS by request",
  channelBinding: "sslmode=verify-full in its place",
  requireAuth: "none",
  gssEncMode: "TLS in its place",
  socketFactory: "none",
  options: "the settings at the role",
  service: "the host itself",
}));
const URL_FORM = "db.url: expected jdbc:postgresql://host:port/name?…, percent-encoded";
const HOST = /^[A-Za-z0-9._-]+(:\d{1,5})?$/;
/** The driver asks for the name as it stands in the URL, without decoding it. */
const NAME = /^[\w.$~-]+$/;

export function convertJdbc({ url, username, password }: Jdbc): Converted {
  const [, host, name, query] = url.match(/^jdbc:postgresql:\/\/([^/?#]*)\/([^/?#]*)(?:\?([^#]*))?$/) ?? [];
  const parameters = readParameters(query ?? "");
  if (!host || !name || !parameters) return { databaseUrl: undefined, problems: [URL_FORM], unused: [] };
  const problems = [
    ...place(host, name),
    ...refusals(parameters),
    ...login(parameters, "user", username),
    ...login(parameters, "password", password),
  ];
  const unused = UNUSED.filter((name) => parameters.has(name));
  const databaseUrl = problems.length > 0 ? undefined : build(host, name, parameters, { username, password });
  if (databaseUrl === undefined || isPostgresUrl(databaseUrl)) return { databaseUrl, problems, unused };
  return { databaseUrl: undefined, problems: [URL_FORM], unused };
}

/** As the JDBC driver reads them: a plus is a plus, a name alone has an empty value, the last one of a name holds. */
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

function place(host: string, name: string): string[] {
  const problems: string[] = [];
  if (host.includes(",")) {
    problems.push("db.url: expected one host; a name that follows the primary, if need be");
  } else if (!HOST.test(host)) {
    problems.push("db.url: expected a host by its name or IPv4 address, and a port");
  }
  if (!NAME.test(name)) problems.push("db.url: expected a database name of letters, digits, _ . $ ~ and -");
  return problems;
}

/** A parameter that nobody knows is not quoted: it may be the rest of a password that was not encoded. */
function refusals(parameters: Map<string, string>): string[] {
  const problems: string[] = [];
  const known = [...TAKEN, ...Object.keys(PASSED_ON), ...UNUSED];
  for (const [at, name] of [...parameters.keys()].entries()) {
    const inPlace = REFUSED.get(name);
    if (inPlace) problems.push(`db.url: ${name}: expected ${inPlace}`);
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
  return problems;
}

function login(parameters: Map<string, string>, parameter: string, value: string | undefined): string[] {
  const key = parameter === "user" ? "db.username" : "db.password";
  const other = parameters.get(parameter);
  if (!other && !value) return [`${key}: expected, there is none`];
  return other && value && other !== value
    ? [`${key}: expected the same as in db.url, or in one of the two only`]
    : [];
}

/** What the JDBC driver does without a word about it: `prefer`, and with ssl=true everything. */
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
  for (const [theirs, ours] of Object.entries(PASSED_ON)) {
    const value = parameters.get(theirs);
    if (value) url.searchParams.set(ours, value);
  }
  if (["primary", "master"].includes(parameters.get("targetServerType") ?? "")) {
    url.searchParams.set("target_session_attrs", "primary");
  }
  return url.href;
}
