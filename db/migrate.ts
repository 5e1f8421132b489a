/**
 * Migrations of the database to the schema of this version. Safe to run from any number of replicas at once,
 * of this version and of the ones before and after it.
 */
import { getLogger } from "@logtape/logtape";
import postgres from "postgres";
import { commonOptions } from "./connect.ts";
import { asUnusable, requireServer } from "./requirements.ts";
import { takeSettings } from "./session_settings.ts";
import { sha256 } from "../lib/hash.ts";

const FOLDER = new URL("./migrations/", import.meta.url);
const ROLES = new URL("./roles.sql", import.meta.url);
/** Any number that nothing else in the database locks. */
const LOCK = 7_260_400;

const log = getLogger(["customer-service", "migrate"]);

/** Mismatch between the schema and this version; the message says what to do. */
export class MigrationError extends Error {
  override name = "MigrationError";
}

interface Migration {
  name: string;
  sql: string;
  hash: string;
}

/**
 * Applies the missing migrations, each file in its own transaction, and returns their names.
 * The login needs the right to become customer_owner, and to create roles where one is missing; it needs
 * neither once the schema is current. Migrations of a newer version stay, and are logged: during a rolling
 * update, pods of the older version restart.
 *
 * @param databaseUrl of PostgreSQL itself or of a pooler in session mode: the lock is the session's
 * @throws {UnusableDatabase} the login cannot connect, or the server or the database is not suitable
 * @throws {MigrationError} an applied file has changed, the database is of a version that does not lead on
 *   from this one, or a right is missing
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const url = new URL(databaseUrl);
  const options = commonOptions(url);
  const connection = { application_name: "customer-service migrate", ...takeSettings(url, {}) };
  const sql = postgres(url.href, { ...options, max: 1, connection });
  try {
    await requireServer(sql);
    const { missing, newer } = await compare(sql);
    if (newer.length > 0) {
      log.warn("The database is of a newer version, which has added {newer}", { newer: newer.join(", ") });
    }
    if (missing.length === 0) return [];
    await sql`select pg_advisory_lock(${LOCK})`;
    await ensureRoles(sql);
    await become(sql, "customer_owner");
    await sql.begin(async (tx) => { // atomic, for readers without the lock
      await tx`
        create table if not exists schema_migrations (
          name text primary key, hash text not null, applied_at timestamptz not null default now())`;
      await tx`grant select on schema_migrations to public`;
    });
    const { missing: left } = await compare(sql);
    for (const migration of left) {
      await sql.begin(async (tx) => {
        await tx.unsafe(migration.sql);
        await tx`insert into schema_migrations (name, hash) values (${migration.name}, ${migration.hash})`;
      });
    }
    return left.map((migration) => migration.name);
  } catch (error) {
    throw asUnusable(error, databaseUrl);
  } finally {
    await sql.end(); // the lock ends with the session
  }
}

/** Returns whether every migration of this version has been applied; false also before the very first one. */
export async function isCurrent(sql: postgres.Sql<Record<string, never>>): Promise<boolean> {
  return (await compare(sql)).missing.length === 0;
}

/** Compares the database with this version: the migrations that it lacks, and the names of the newer ones. */
async function compare(
  sql: postgres.Sql<Record<string, never>>,
): Promise<{ missing: Migration[]; newer: string[] }> {
  const known = await readMigrations();
  const [table] = await sql`select to_regclass('schema_migrations') is not null as exists`;
  if (!table?.exists) return { missing: known, newer: [] };
  const applied = new Map(
    (await sql<{ name: string; hash: string }[]>`select name, hash from schema_migrations`)
      .map(({ name, hash }) => [name, hash]),
  );
  const edited = known.find(({ name, hash }) => applied.has(name) && applied.get(name) !== hash);
  if (edited) {
    throw new MigrationError(
      `Migration ${edited.name} was applied with another content: restore the file, changes go into a new one`,
    );
  }
  const missing = known.filter(({ name }) => !applied.has(name));
  const names = new Set(known.map(({ name }) => name));
  const [unknown, ...others] = [...applied.keys()].filter((name) => !names.has(name)).sort();
  if (unknown === undefined) return { missing, newer: [] };
  const [first] = missing;
  if (first) {
    throw new MigrationError(
      `The database has migration ${unknown}, which this version does not know, and lacks ${first.name}: start a version that has both`,
    );
  }
  if (unknown < known.at(-1)!.name) {
    throw new MigrationError(
      `The database has migration ${unknown}, which stands between those that this version knows: start a version that has it`,
    );
  }
  return { missing, newer: [unknown, ...others] };
}

/** Returns the names of this version's migrations, in order. */
export async function migrationNames(): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(FOLDER)) if (entry.name.endsWith(".sql")) names.push(entry.name);
  return names.sort();
}

async function readMigrations(): Promise<Migration[]> {
  return await Promise.all((await migrationNames()).map(async (name) => {
    const sql = await Deno.readTextFile(new URL(name, FOLDER));
    return { name, sql, hash: sha256(sql).toHex() };
  }));
}

async function ensureRoles(sql: postgres.Sql<Record<string, never>>): Promise<void> {
  const [row] = await sql`
    select count(*)::int as roles from pg_roles
    where rolname in ('customer_owner', 'customer_api', 'customer_reader', 'customer_worker')`;
  if (row?.roles === 4) return;
  await sql.unsafe(await Deno.readTextFile(ROLES)).catch((cause) => {
    throw new MigrationError(
      "The roles of db/roles.sql are missing and this login may not create roles: run that file as an administrator",
      { cause },
    );
  });
}

async function become(sql: postgres.Sql<Record<string, never>>, role: string): Promise<void> {
  await sql`set role ${sql(role)}`.catch((cause) => {
    throw new MigrationError(
      `The schema is not current and this login is not a member of ${role}: migrate with one that is`,
      { cause },
    );
  });
}
