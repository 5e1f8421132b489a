/** deploy/citus.sql matches the schema and meets Citus' requirements. Citus itself is not available in tests. */
import assert from "node:assert/strict";
import { createDatabase } from "../database.ts";
import { readText } from "./yaml.ts";

const sql = await readText("deploy/citus.sql");
const distributed = [...sql.matchAll(/create_distributed_table\('(\w+)', 'store_id'/g)].map(([, name]) =>
  name!
);
const local = [...sql.matchAll(/citus_add_local_table_to_metadata\('(\w+)'\)/g)].map(([, name]) => name!);

Deno.test("every table is either distributed by store or a local work queue", async () => {
  await using database = await createDatabase();
  const tables = await database.admin<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations'`;
  assert.deepEqual([...distributed, ...local].sort(), tables.map(({ name }) => name).sort());
});

Deno.test("unique and foreign keys of distributed tables begin with the store", async () => {
  await using database = await createDatabase();
  const keys = await database.admin<{ table: string; other: string; own: string[]; theirs: string[] }[]>`
    select conrelid::regclass::text as table, confrelid::regclass::text as other,
      (select array_agg(attname) from pg_attribute where attrelid = conrelid and attnum = any(conkey)) as own,
      (select array_agg(attname) from pg_attribute where attrelid = confrelid and attnum = any(confkey)) as theirs
    from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace`;
  assert.ok(keys.length > 0);
  for (const { table, other, own, theirs } of keys) {
    assert.ok(own.includes("store_id") && theirs.includes("store_id"), `${table} -> ${other}`);
    assert.ok(distributed.includes(table) && distributed.includes(other), `${table} -> ${other}`);
    assert.ok(distributed.indexOf(other) < distributed.indexOf(table), `${other} comes before ${table}`);
  }
  const loose = await database.admin`
    select indexrelid::regclass::text as index from pg_index
    where indisunique and indrelid::regclass::text = any(${distributed})
      and not exists (select from pg_attribute
        where attrelid = indrelid and attname = 'store_id' and attnum = any(indkey))`;
  assert.deepEqual(loose.map(({ index }) => index), []);
});

Deno.test("tables from which workers claim rows of all stores are not distributed", async () => {
  for (const name of ["timers", "effects", "outbox"]) {
    assert.match(await readText(`db/${name}.ts`), /for update skip locked/);
    assert.ok(local.includes(name), name);
  }
  for await (const { name } of Deno.readDir(new URL("../../db/", import.meta.url))) {
    if (!name.endsWith(".ts") || local.includes(name.slice(0, -3))) continue;
    assert.doesNotMatch(await readText(`db/${name}`), /skip locked/, name);
  }
});

Deno.test("the tables' owner can run the file", async () => {
  await using database = await createDatabase();
  const owner = database.pool("customer_owner", 1);
  await owner.unsafe(`
    create function create_distributed_table(regclass, text, colocate_with text default 'default')
      returns void language sql return null;
    create function citus_add_local_table_to_metadata(regclass) returns void language sql return null;`);
  await owner.unsafe(sql);
});
