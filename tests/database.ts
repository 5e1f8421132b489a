/** Separate database for a test, with pools by role. */
import { bootstrap, LOGIN } from "../db/bootstrap.ts";
import { openPool, type Role, type Sql } from "../db/connect.ts";
import postgres from "postgres";

/** Set by tests/run.ts; the template is migrated once for all files. */
export const ADMIN_URL = required("TEST_ADMIN_URL");
export const TEMPLATE = "customer_template";
export const PASSWORD = "test";

export interface TestDatabase extends AsyncDisposable {
  /** URL with the service's login. */
  url: string;
  /** Superuser URL of this database, to inspect the effects of a test. */
  adminUrl: string;
  admin: Sql;
  pool(role: Role, max?: number): Sql;
}

/**
 * @param migrated false for an empty database, to test the migrations
 * @param template another test's database to copy, without open connections
 */
export async function createDatabase(migrated = true, template = TEMPLATE): Promise<TestDatabase> {
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  const server = postgres(ADMIN_URL, { max: 1, onnotice: () => {} });
  if (migrated) {
    await server`create database ${server(name)} template ${server(template)} owner customer_owner`;
  } else await bootstrap(ADMIN_URL, name, PASSWORD);
  const url = at(ADMIN_URL, name, { username: LOGIN, password: PASSWORD });
  const adminUrl = at(ADMIN_URL, name);
  const admin = postgres(adminUrl, {
    max: 4,
    onnotice: () => {},
    transform: { column: { from: postgres.toCamel } },
  });
  const pools: Sql[] = [admin];
  return {
    url,
    adminUrl,
    admin,
    pool(role, max = 4) {
      const sql = openPool(url, role, max);
      pools.push(sql);
      return sql;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(pools.map((sql) => sql.end({ timeout: 1 })));
      await server`drop database ${server(name)} with (force)`;
      await server.end();
    },
  };
}

function at(url: string, database: string, login?: { username: string; password: string }): string {
  return Object.assign(new URL(url), { pathname: `/${database}`, ...login }).href;
}

function required(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is not set: run tests with \`deno task test [FILE …]\``);
  return value;
}
