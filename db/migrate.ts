/** Brings a database to the schema of this version. Safe to run from any number of replicas at once. */
import postgres from "postgres";
import { takeTls } from "./tls.ts";

const FOLDER = new URL("./migrations/", import.meta.url);
const ROLES = new URL("./roles.sql", import.meta.url);
/** Any number that nothing else in the database locks. */
const LOCK = 7_260_400;

/** The schema and this version do not fit together; the message says what to do. */
export class MigrationError extends Error {
  override name = "MigrationError";
}

interface Migration {
  name: string;
  sql: string;
  hash: string;
}

/**
 * Applies what is missing, each file in a transaction of its own, and returns the names of what it applied.
 * The login needs the right to become customer_owner, and to create roles where one is missing; it needs
 * neither once the schema is current.
 *
 * @throws {MigrationError} an applied file has changed, the database is of a newer version, or a right is missing
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const url = new URL(databaseUrl);
  const tls = takeTls(url);
  const sql = postgres(url.href, {
    ...tls,
    max: 1,
    onnotice: () => {},
    connection: { application_name: "customer-service migrate" },
  });
  try {
    if ((await missingMigrations(sql)).length === 0) return [];
    await sql`select pg_advisory_lock(${LOCK})`;
    await ensureRoles(sql);
    await become(sql, "customer_owner");
    await sql`
      create table if not exists schema_migrations (
        name text primary key, hash text not null, applied_at timestamptz not null default now())`;
    await sql`grant select on schema_migrations to public`;
    const missing = await missingMigrations(sql);
    for (const migration of missing) {
      await sql.begin(async (tx) => {
        await tx.unsafe(migration.sql);
        await tx`insert into schema_migrations (name, hash) values (${migration.name}, ${migration.hash})`;
      });
    }
    return missing.map((migration) => migration.name);
  } finally {
    await sql.end(); // the lock ends with the session
  }
}

/** Whether every migration of this version has been applied; false also before the very first one. */
export async function isCurrent(sql: postgres.Sql<Record<string, never>>): Promise<boolean> {
  return (await missingMigrations(sql)).length === 0;
}

async function missingMigrations(sql: postgres.Sql<Record<string, never>>): Promise<Migration[]> {
  const known = await readMigrations();
  const [table] = await sql`select to_regclass('schema_migrations') is not null as exists`;
  if (!table?.exists) return known;
  const applied = await sql<
    { name: string; hash: string }[]
  >`select name, hash from schema_migrations order by name`;
  for (const { name, hash } of applied) {
    const file = known.find((migration) => migration.name === name);
    if (!file) {
      throw new MigrationError(
        `The database has migration ${name}, which this version does not know: start a version at least as new`,
      );
    }
    if (file.hash !== hash) {
      throw new MigrationError(
        `Migration ${name} was applied with another content: restore the file, changes go into a new one`,
      );
    }
  }
  const names = new Set(applied.map(({ name }) => name));
  return known.filter(({ name }) => !names.has(name));
}

/** The names of this version's migrations, in order. */
export async function migrationNames(): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(FOLDER)) if (entry.name.endsWith(".sql")) names.push(entry.name);
  return names.sort();
}

async function readMigrations(): Promise<Migration[]> {
  return await Promise.all((await migrationNames()).map(async (name) => {
    const sql = await Deno.readTextFile(new URL(name, FOLDER));
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(sql));
    return { name, sql, hash: new Uint8Array(digest).toHex() };
  }));
}

async function ensureRoles(sql: postgres.Sql<Record<string, never>>): Promise<void> {
  const [found] = await sql`
    select count(*)::int as roles from pg_roles
    where rolname in ('customer_owner', 'customer_api', 'customer_reader', 'customer_worker')`;
  if (found?.roles === 4) return;
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
      `The schema is not current and this login is no member of ${role}: migrate with one that is`,
      { cause },
    );
  });
}
