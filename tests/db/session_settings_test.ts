/** Sessions of the service do not depend on defaults of the database, of the login, or on its collation. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { bootstrap, LOGIN } from "../../db/bootstrap.ts";
import { openPool } from "../../db/connect.ts";
import { migrate } from "../../db/migrate.ts";
import { ADMIN_URL, createDatabase, PASSWORD } from "../database.ts";
import { liveThrough } from "./scenario.ts";

/** Values that change what statements mean or how results look; some make every statement fail. */
const WRONG = {
  DateStyle: "SQL, DMY",
  IntervalStyle: "sql_standard",
  TimeZone: "Asia/Kathmandu",
  bytea_output: "escape",
  client_encoding: "LATIN1",
  extra_float_digits: "-15",
  search_path: "pg_catalog",
  standard_conforming_strings: "off",
  array_nulls: "off",
  transform_null_equals: "on",
  row_security: "off",
  default_transaction_isolation: "serializable",
  default_transaction_deferrable: "on",
  idle_session_timeout: "1ms",
  statement_timeout: "1ms",
  lock_timeout: "1ms",
  idle_in_transaction_session_timeout: "1ms",
};

Deno.test("wrong defaults of the database and the login change nothing", async () => {
  await using database = await createDatabase(false);
  const name = new URL(database.url).pathname.slice(1);
  const statements = Object.entries(WRONG).flatMap(([setting, value]) =>
    [`database ${name}`, `role ${LOGIN} in database ${name}`].map((of) =>
      `alter ${of} set ${setting} = '${value}'`
    )
  );
  await using server = connectAsAdmin();
  await server.sql.unsafe(statements.join(";"));
  const [row] = await server.sql`
    select sum(cardinality(setconfig))::int as settings from pg_db_role_setting
    where setdatabase = (select oid from pg_database where datname = ${name})`;
  assert.equal(row?.settings, statements.length);
  await migrate(database.url);
  await liveThrough(database, database.pool("customer_api", 8), database.pool("customer_reader"));
});

Deno.test("parameters of the URL override timeouts, and nothing else", async () => {
  await using database = await createDatabase();
  const url = new URL(database.url);
  for (const [name, value] of Object.entries({ ...WRONG, datestyle: "German", role: "customer_owner" })) {
    url.searchParams.set(name, value);
  }
  url.searchParams.set("statement_timeout", "7000");
  url.searchParams.set("idle_in_transaction_session_timeout", "7000");
  url.searchParams.set("lock_timeout", "7000");
  const pool = openPool(url.href, "customer_reader", 1);
  try {
    const [row] = await pool`
      select current_user as role, current_setting('DateStyle') as dates, current_setting('TimeZone') as zone,
        current_setting('statement_timeout') as limit`;
    assert.deepEqual({ ...row }, { role: "customer_reader", dates: "ISO, MDY", zone: "UTC", limit: "7s" });
  } finally {
    await pool.end();
  }
});

Deno.test("under a Turkish collation an email is unique and found in every case", async () => {
  await using server = connectAsAdmin();
  const name = `test_tr_${crypto.randomUUID().replaceAll("-", "")}`;
  const at = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  await server.sql.unsafe(
    `create database ${name} template template0 encoding 'UTF8' locale 'C' owner customer_owner
    locale_provider icu icu_locale 'tr-TR'`,
  );
  const url = await bootstrap(ADMIN_URL, name, PASSWORD);
  const admin = postgres(at(ADMIN_URL), { max: 1 });
  const pools = [openPool(url, "customer_api", 8), openPool(url, "customer_reader", 2)] as const;
  try {
    assert.equal((await admin`select lower('I') as lower`)[0]?.lower, "ı");
    await migrate(url);
    const database = { url, adminUrl: at(ADMIN_URL), admin } as never;
    await liveThrough(database, ...pools);
  } finally {
    await Promise.all([...pools, admin].map((sql) => sql.end({ timeout: 1 })));
    await server.sql.unsafe(`drop database ${name} with (force)`);
  }
});

function connectAsAdmin() {
  const sql = postgres(ADMIN_URL, { max: 1, onnotice: () => {} });
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) };
}
