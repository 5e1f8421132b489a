/**
 * deploy/citus.sql matches the schema, and the schema and the statements keep to what Citus accepts. Citus itself is not
 * available in `deno task ok`: `deno task citus` runs the service on a real one.
 */
import assert from "node:assert/strict";
import type { Sql } from "../../db/connect.ts";
import { createDatabase } from "../database.ts";
import { statementsOf } from "../citus/statements.ts";
import { readText } from "./yaml.ts";

const script = statementsOf(await readText("deploy/citus.sql"));
/** About the database as a whole: they stay on the coordinator. */
const WITHOUT_STORE = [
  "erasure_cleanup",
  "erasure_log_positions",
  "erasure_marker",
  "erasure_memory_decisions",
  "retention_sweep",
  "schema_migrations",
];
/** The first migration that has been written for distributed tables; those before run before the distribution. */
const FIRST = "0093";

Deno.test("deploy/citus.sql distributes every table with a store after those that it references, and once", async () => {
  await using database = await createDatabase();
  const { admin } = database;
  await admin.begin(async (tx) => {
    await tx.unsafe(`
      create table pg_dist_partition (at integer generated always as identity, logicalrelid regclass primary key);
      grant insert, select on pg_dist_partition to public;
      create function create_distributed_table(regclass, text, colocate_with text) returns void language sql
        as 'insert into pg_dist_partition (logicalrelid) values ($1)'`);
    for (let run = 0; run < 2; run++) {
      for (const statement of script) await tx.unsafe(statement);
    }
    const order =
      (await tx<{ name: string }[]>`select logicalrelid::text as name from pg_dist_partition order by at`)
        .map(({ name }) => name);
    const others = await tx<{ name: string }[]>`
      select tablename as name from pg_tables
      where schemaname = 'public' and tablename <> 'pg_dist_partition' and not tablename = any(${order})`;
    assert.deepEqual(others.map(({ name }) => name).sort(), WITHOUT_STORE);
    for (const { name, other } of await foreignKeys(admin)) {
      assert.ok(order.indexOf(other) < order.indexOf(name), `${other} comes before ${name}`);
    }
    const kept = await tx`
      select proname from pg_proc where 'plan_cache_mode=force_generic_plan' = any (proconfig)`;
    assert.equal(kept.length, 0, "Citus plans each call");
    const [state] = await tx`
      select is_distributed() as distributed, bool_and(rolcanlogin) as "canLogin" from pg_roles
      where rolname like 'customer\\_%' and rolname <> 'customer_service'`;
    assert.deepEqual({ ...state }, { distributed: true, canLogin: true });
    throw new RolledBack(); // the roles belong to all tests
  }).catch((error) => {
    if (!(error instanceof RolledBack)) throw error;
  });
});

class RolledBack extends Error {}

Deno.test("unique and foreign keys include the store", async () => {
  await using database = await createDatabase();
  const keys = await foreignKeys(database.admin);
  assert.ok(keys.length > 0);
  for (const { name, other, own, theirs } of keys) {
    assert.ok(own.includes("store_id") && theirs.includes("store_id"), `${name} -> ${other}`);
  }
  const loose = await database.admin`
    select indexrelid::regclass::text as index from pg_index
    where indisunique and indrelid in (
      select attrelid from pg_attribute a join pg_class c on c.oid = a.attrelid
      where a.attname = 'store_id' and c.relkind = 'r' and c.relnamespace = 'public'::regnamespace)
      and not exists (select from pg_attribute
        where attrelid = indrelid and attname = 'store_id' and attnum = any(indkey))`;
  assert.deepEqual(loose.map(({ index }) => index), []);
});

Deno.test("no policy has a subquery", async () => {
  await using database = await createDatabase();
  const policies = await database.admin<{ text: string }[]>`
    select concat_ws(' ', qual, with_check) as text from pg_policies where schemaname = 'public'`;
  assert.ok(policies.length > 20);
  assert.deepEqual(policies.filter(({ text }) => /select/i.test(text)), []);
});

Deno.test("no function with parameters reads tables in SQL, which Citus cannot plan", async () => {
  await using database = await createDatabase();
  const functions = await database.admin<{ name: string }[]>`
    select proname as name from pg_proc p join pg_language l on l.oid = p.prolang
    where l.lanname = 'sql' and p.pronamespace = 'public'::regnamespace and p.pronargs > 0
      and pg_get_functiondef(p.oid) ~ '\\m(from|join|into|update) [a-z]'`;
  // An upsert of one row is planned once its values are known.
  assert.deepEqual(functions.map(({ name }) => name), ["count_request"]);
});

Deno.test("functions of commands and lookups keep their plans by keep_plans", async () => {
  for (const [name, text] of await migrations()) {
    assert.doesNotMatch(text.replace(/create procedure keep_plans[^]*?\n\$\$;/, ""), /plan_cache_mode/, name);
  }
});

Deno.test("migrations add columns and named constraints apart", async () => {
  for (const [name, text] of await migrations()) {
    assert.doesNotMatch(text, UNNAMED, name);
  }
  for (
    const refused of [
      "alter table a add column b text check (b <> '')",
      "alter table a add column b int not null default 1 check (b > 0);",
      "alter table a add check (b > 0)",
      "alter table a add column b uuid references c",
    ]
  ) assert.match(refused, UNNAMED, refused);
  for (
    const accepted of [
      "alter table a add column b text",
      "alter table a add constraint a_b check (b <> '')",
      "alter table a add column b text; alter table a add constraint c check (true)",
    ]
  ) assert.doesNotMatch(accepted, UNNAMED, accepted);
});

/** A constraint in the statement that adds its column, or without a name. */
const UNNAMED =
  /\badd (column [^;]*?\b(check|references|unique|primary key)\b|(check|foreign key|unique|primary key)\b)/;

Deno.test("statements have no form that Citus refuses", async () => {
  const refused = {
    "rows of a limited subquery": /\b(delete from|update) [^;`]*?\(\w+, [^)]*\) in \(\s*select[^;`]*?limit/,
    "volatile time in an update": /\bupdate \w+(?! on)[^;`]*?set [^;`]*?clock_timestamp\(\)/,
  };
  const folder = new URL("../../db/", import.meta.url);
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".ts")) continue;
    const text = await Deno.readTextFile(new URL(name, folder));
    for (const [what, pattern] of Object.entries(refused)) {
      assert.doesNotMatch(text, pattern, `${what}: ${name}`);
    }
  }
  assert.match(
    "delete from c where (a, b) in (select a, b from c limit 1)",
    refused["rows of a limited subquery"],
  );
  assert.match("update outbox set published_at = clock_timestamp()", refused["volatile time in an update"]);
});

async function foreignKeys(sql: Sql) {
  return await sql<{ name: string; other: string; own: string[]; theirs: string[] }[]>`
    select conrelid::regclass::text as name, confrelid::regclass::text as other,
      (select array_agg(attname) from pg_attribute where attrelid = conrelid and attnum = any(conkey)) as own,
      (select array_agg(attname) from pg_attribute where attrelid = confrelid and attnum = any(confkey)) as theirs
    from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace`;
}

/** Texts of the migrations that may run after the distribution, by name. */
async function migrations(): Promise<[name: string, text: string][]> {
  const folder = new URL("../../db/migrations/", import.meta.url);
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).filter((name) =>
    name >= FIRST
  );
  assert.ok(names.length > 0);
  return await Promise.all(names.map(async (name): Promise<[string, string]> => [
    name,
    (await Deno.readTextFile(new URL(name, folder))).replaceAll(/--.*$/gm, ""),
  ]));
}
