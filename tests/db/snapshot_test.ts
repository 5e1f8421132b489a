/**
 * Snapshot of the schema as text, which shows every change in review. `deno task schema` accepts an intended
 * change: it runs this file with UPDATE_SCHEMA=1.
 */
import assert from "node:assert/strict";
import type { Sql } from "../../db/connect.ts";
import { createDatabase } from "../database.ts";

const SNAPSHOT = new URL("../../db/schema.snapshot.txt", import.meta.url);

Deno.test("the migrations give the schema of db/schema.snapshot.txt", async () => {
  await using database = await createDatabase();
  const text = await describeSchema(database.admin);
  if (Deno.env.get("UPDATE_SCHEMA")) await Deno.writeTextFile(SNAPSHOT, text);
  assert.equal(text, await Deno.readTextFile(SNAPSHOT));
});

async function describeSchema(sql: Sql): Promise<string> {
  const lines = await sql<{ line: string }[]>`
    with tables as (
      select c.oid, c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
    )
    select relname || ' column ' || attname || ' ' || format_type(atttypid, atttypmod)
      || case when attnotnull then ' not null' else '' end
      || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as line
    from tables join pg_attribute a on a.attrelid = tables.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    union all
    select relname || ' constraint ' || conname || ' ' || pg_get_constraintdef(k.oid)
    from tables join pg_constraint k on k.conrelid = tables.oid and k.contype <> 'n'
    union all
    select relname || ' index ' || indexdef from tables join pg_indexes on tablename = relname and schemaname = 'public'
    union all
    select relname || ' policy ' || polname || case when polpermissive then '' else ' restrictive' end
      || case polcmd when '*' then '' when 'w' then ' for update' else ' for ' || polcmd::text end || ' to ' || polroles::regrole[]::text
      || coalesce(' using ' || pg_get_expr(polqual, polrelid), '')
      || coalesce(' check ' || pg_get_expr(polwithcheck, polrelid), '')
    from tables join pg_policy on polrelid = tables.oid
    union all
    select relname || ' grant ' || privilege_type || ' to ' || grantee
    from tables join information_schema.role_table_grants on table_name = relname and grantee <> 'customer_owner'
    union all
    select relname || ' grant ' || privilege_type || ' of ' || column_name || ' to ' || grantee
    from tables join information_schema.role_column_grants g on g.table_name = relname and grantee <> 'customer_owner'
    where not exists (
      select from information_schema.role_table_grants t
      where t.table_name = relname and t.grantee = g.grantee and t.privilege_type = g.privilege_type)
    union all
    select 'function ' || p.oid::regprocedure || ' ' || pg_get_function_result(p.oid)
      || case when prosecdef then ' security definer' else '' end || ' ' || md5(coalesce(pg_get_function_sqlbody(p.oid), prosrc))
      || ' ' || coalesce(proacl::text, '')
    from pg_proc p where pronamespace = 'public'::regnamespace
    order by line`;
  return lines.map(({ line }) => `${line}\n`).join("");
}
