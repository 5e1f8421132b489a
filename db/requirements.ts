/** Requirements on the database: the service refuses to start without them, each time with one sentence. */
import postgres from "postgres";
import type { Role, Sql } from "./connect.ts";
import { PINNED } from "./session_settings.ts";

/** The database cannot be used. The message is for the person who started the service. */
export class UnusableDatabase extends Error {
  override name = "UnusableDatabase";
}

/** Oldest supported version, as in server_version_num. */
const OLDEST = 16_00_00;
const ENCODING = "UTF8";

/** Properties of a server and a database. */
export interface Server {
  database: string;
  /** As in server_version_num: 160004 for 16.4. */
  version: number;
  encoding: string;
}

/** Returns the reason why the service does not run there; undefined if it does. */
export function unsupported({ database, version, encoding }: Server): string | undefined {
  if (version < OLDEST) {
    return `PostgreSQL ${Math.floor(version / 10_000)} is too old: it has to be version 16 or newer`;
  }
  if (encoding !== ENCODING) {
    return `The database "${database}" has the encoding ${encoding}, which lacks letters of some names: ` +
      `create it with the encoding ${ENCODING}`;
  }
}

/** @throws {UnusableDatabase} the version or the encoding is not supported */
export async function requireServer(sql: Sql): Promise<void> {
  const [server] = await sql<Server[]>`
    select current_database() as database, current_setting('server_version_num')::int as version,
      current_setting('server_encoding') as encoding`;
  const reason = unsupported(server!);
  if (reason !== undefined) throw new UnusableDatabase(reason);
}

/**
 * Verifies that statements of a pool run with its role and the pinned settings.
 *
 * @throws {UnusableDatabase} a pooler has dropped them
 * @throws the driver's error
 */
export async function requireSettings(sql: Sql, role: Role): Promise<void> {
  const names = Object.keys(PINNED);
  const [row] = await sql<{ role: string; values: string[] }[]>`
    select current_user as role, array(
      select current_setting(name) from unnest(${names}::text[]) with ordinality s (name, at) order by at
    ) as values`;
  const { role: current, values = [] } = row!;
  const lost = names.find((name, at) => values[at] !== PINNED[name]);
  if (current === role && lost === undefined) return;
  const what = current === role ? `the parameter ${lost}` : `the parameter role`;
  throw new UnusableDatabase(`A pooler before the database drops ${what}: ${BEHIND_A_POOLER}`);
}

const BEHIND_A_POOLER =
  "connect to PostgreSQL itself, or let DATABASE_URL lead to a pooler in transaction mode and DATABASE_DIRECT_URL to PostgreSQL";

/**
 * Explains why a connection failed, in one sentence without the password.
 *
 * @param role the role that the session was to have; absent: the login itself
 * @returns undefined for an error that says nothing about the connection
 */
export function explainConnection(error: unknown, databaseUrl: string, role?: Role): string | undefined {
  const { username, host, pathname } = new URL(databaseUrl);
  const [login, database] = [username, pathname.slice(1)].map((part) => `"${decodeURIComponent(part)}"`);
  const { code, message = "" } = error instanceof Error && "code" in error
    ? error as { code: unknown; message?: string }
    : {};
  switch (code) {
    case "WRONG_SESSION":
      return `The server at ${host} accepts no changes: it is a standby, or default_transaction_read_only is on`;
    case "CONNECT_TIMEOUT":
      return `The server at ${host} does not answer`;
  }
  if (!(error instanceof postgres.PostgresError)) return undefined;
  const { severity, severity_local } = error; // poolers send only the second
  if (role === undefined && (severity ?? severity_local) !== "FATAL") return undefined; // of a statement
  switch (code) {
    case "42704":
      return `The URL sets a parameter that the server at ${host} does not know: correct the URL`;
    case "3D000":
      return `There is no database ${database} on ${host}: create it, or correct the URL`;
    case "28P01":
      return `The server at ${host} refuses the login ${login} or its password: correct the URL`;
    case "28000":
      return `The server at ${host} does not admit the login ${login} to the database ${database}: ` +
        `create the login, or correct the URL or pg_hba.conf`;
    case "42501":
      if (role === undefined) {
        return `The login ${login} may not connect to the database ${database}: grant it connect`;
      }
      return `The login ${login} is not a member of ${role}: grant it customer_api, customer_reader and customer_worker`;
    case "22023":
      return message.includes(`"${role}"`)
        ? `The role ${role} does not exist: run db/roles.sql as an administrator`
        : undefined;
  }
  if (/startup parameter/.test(message)) {
    return `A pooler at ${host} refuses the settings of the session: ${BEHIND_A_POOLER}`;
  }
  if (code === "08P01") {
    return `A pooler at ${host} refuses the login ${login} or the database ${database}: correct the URL or its configuration`;
  }
}

/** Returns an UnusableDatabase if the error can be explained, else the error itself. */
export function asUnusable(error: unknown, databaseUrl: string, role?: Role): unknown {
  const reason = explainConnection(error, databaseUrl, role);
  return reason === undefined ? error : new UnusableDatabase(reason, { cause: error });
}
