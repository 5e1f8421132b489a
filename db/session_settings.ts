/** Settings of the service's sessions: what a statement means must not depend on defaults that others have set. */

/** Timeouts of PostgreSQL in milliseconds; absent: no limit. */
export interface Timeouts {
  /** Time that one statement may run. */
  statementMs?: number;
  /** Time that a statement waits for a lock. */
  lockMs?: number;
  /** Time that a transaction may stay idle with its locks: its process may be frozen or disconnected. */
  idleMs?: number;
}

/**
 * Settings that every session has, whatever the server, the database, the login or the address sets; names and values
 * as in the view pg_settings.
 *
 * `default_transaction_read_only` is not among them: an administrator sets it to stop writes, and a session that
 * overrides it would write to a server that has been demoted.
 */
export const PINNED: Readonly<Record<string, string>> = {
  client_encoding: "UTF8",
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  bytea_output: "hex",
  extra_float_digits: "1",
  search_path: "public",
  standard_conforming_strings: "on",
  array_nulls: "on",
  transform_null_equals: "off",
  row_security: "on",
  default_transaction_isolation: "read committed",
  default_transaction_deferrable: "off",
  idle_session_timeout: "0",
};

/**
 * Removes the settings from the URL and returns those of a session, by name. Timeouts in the URL override `limits`;
 * nothing overrides the role and what is pinned.
 *
 * @param role absent: the login itself
 */
export function takeSettings(url: URL, limits: Timeouts, role?: string): Record<string, string> {
  const timeouts = {
    statement_timeout: limits.statementMs ?? 0,
    lock_timeout: limits.lockMs ?? 0,
    idle_in_transaction_session_timeout: limits.idleMs ?? 0,
  };
  const settings: Record<string, string> = { ...(role && { role }), ...PINNED };
  for (const [name, ms] of Object.entries(timeouts)) {
    settings[name] = url.searchParams.get(name) ?? String(ms);
  }
  const fixedNames = new Set(Object.keys(settings).map((name) => name.toLowerCase())).add("role");
  for (const name of [...url.searchParams.keys()]) {
    if (fixedNames.has(name.toLowerCase())) url.searchParams.delete(name);
  }
  return settings;
}

/** Text of statements that set them until the end of the transaction, in one round trip and without parameters. */
export function asTransactionSettings(settings: Readonly<Record<string, string>>): string {
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const rows = Object.entries(settings).map(([name, value]) => `(${quote(name)},${quote(value)})`);
  return `select set_config(k,v,true)from(values${rows.join()})s(k,v)`;
}
