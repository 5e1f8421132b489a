/** Properties of the whole schema, read from PostgreSQL's catalog. */
import assert from "node:assert/strict";
import { createDatabase } from "../database.ts";

/** Positions, marker and decisions about the erasure memory of the whole database. They contain no data of a store. */
const OF_ALL_STORES = [
  "erasure_cleanup",
  "erasure_log_positions",
  "erasure_marker",
  "retention_sweep",
  "erasure_memory_decisions",
];
const APPLICATION_ROLES = ["customer_api", "customer_reader", "customer_worker", "customer_service"];

Deno.test("the schema as a whole", async (t) => {
  await using database = await createDatabase();
  const sql = database.admin;
  const tables = await sql<{ name: string; security: boolean; owner: string }[]>`
    select c.relname as name, c.relrowsecurity as security, pg_get_userbyid(c.relowner) as owner
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
      and c.relname not in ${database.admin(["schema_migrations", ...OF_ALL_STORES])}`;

  await t.step(
    "every table carries store_id, keeps row-level security and belongs to customer_owner",
    async () => {
      assert.ok(tables.length >= 9);
      for (const { name, security, owner } of tables) {
        const [column] = await sql`
        select data_type, is_nullable from information_schema.columns
        where table_schema = 'public' and table_name = ${name} and column_name = 'store_id'`;
        assert.deepEqual([column?.dataType, column?.isNullable], ["uuid", "NO"], name);
        assert.equal(security, true, name);
        assert.equal(owner, "customer_owner", name);
      }
    },
  );

  await t.step("every primary key and unique index starts with store_id", async () => {
    const indexes = await sql<{ index: string; first: string }[]>`
      select i.indexrelid::regclass::text as index, a.attname as first
      from pg_index i
      join pg_class c on c.oid = i.indrelid
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
      where i.indisunique and c.relnamespace = 'public'::regnamespace
        and c.relname not in ${sql(["schema_migrations", ...OF_ALL_STORES])}`;
    assert.ok(indexes.length >= tables.length);
    for (const { index, first } of indexes) assert.equal(first, "store_id", index);
  });

  await t.step("the unique index of emails finds how an email begins", async () => {
    const storeId = crypto.randomUUID();
    const plan = await sql.begin(async (tx) => {
      await tx`
        insert into customers (store_id, customer_id, email, status, version, created_at, updated_at)
        select ${storeId}, gen_random_uuid(), n || '@example.com', 'ACTIVE', 1, now(), now()
        from generate_series(1, 2000) n`;
      await tx`analyze customers`;
      const rows = await tx.unsafe(
        `explain select from customers
         where store_id = '${storeId}' and lower(email) like '42%' and anonymized_at is null`,
      );
      await tx`delete from customers where store_id = ${storeId}`;
      return rows;
    });
    const text = plan.map((line) => Object.values(line)[0]).join("\n");
    assert.match(text, /customers_email\b[^]*Index Cond:.*lower\(email\) >= '42'/);
  });

  await t.step(
    "no check has a counted repetition, of which PostgreSQL builds every state for each row",
    async () => {
      const checks = await sql<{ name: string; definition: string }[]>`
      select conrelid::regclass || '.' || conname as name, pg_get_constraintdef(oid) as definition
      from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace`;
      assert.ok(checks.some(({ definition }) => definition.includes(" ~ ")));
      const counted = checks.filter(({ definition }) => {
        const counts = [...definition.matchAll(/\{(?:\d+,)?(\d+)\}/g)].map(([, count]) => Number(count));
        return Math.max(0, ...counts) > 4;
      });
      assert.deepEqual(counted, []);
    },
  );

  await t.step(
    "checks of keys, trace contexts and phone numbers accept their form and nothing else",
    async () => {
      const accepts = async (table: string, column: string, values: (string | null)[]) => {
        const name = `${table}_${column}_check`;
        const [check] =
          await sql`select pg_get_expr(conbin, conrelid) as text from pg_constraint where conname = ${name}`;
        const rows = await sql.unsafe(
          `select (${check!.text})::text as accepted from unnest($1::text[]) as value (${column})`,
          [sql.array(values) as never],
        );
        return rows.map(({ accepted }) => accepted !== "false");
      };
      const [hash, trace] = ["0a".repeat(32), `00-${"0a".repeat(16)}-${"0b".repeat(8)}-01`];
      assert.deepEqual(
        await accepts("idempotency_keys", "key", [
          hash,
          hash.slice(1),
          `${hash}0`,
          hash.replace("a", "A"),
          `${hash}\n`,
        ]),
        [true, false, false, false, false],
      );
      for (const table of ["effects", "timers"]) {
        const wrong = [
          trace.replace("00-", "01-"),
          trace.replace("a-", "-a"),
          `${trace}0`,
          trace.slice(1),
          trace.toUpperCase(),
          trace.replaceAll("-", "0"),
          trace.replace("0a0a", "--0a"),
        ];
        assert.deepEqual(await accepts(table, "traceparent", [trace, null, ...wrong]), [
          ...[true, true],
          ...wrong.map(() => false),
        ]);
      }
      assert.deepEqual(
        await accepts("customers", "phone", [
          "+12",
          "+123456789012345",
          "+1",
          "+1234567890123456",
          "+01",
          "12",
          "+1a",
          null,
        ]),
        [true, true, false, false, false, false, false, true],
      );
    },
  );

  await t.step(
    "no application role is a superuser, bypasses row-level security or owns anything",
    async () => {
      const roles = await sql<{ rolname: string; rolsuper: boolean; rolbypassrls: boolean; owned: number }[]>`
      select rolname, rolsuper, rolbypassrls,
        (select count(*)::int from pg_class where relowner = r.oid) as owned
      from pg_roles r where rolname in ${sql(APPLICATION_ROLES)}`;
      assert.equal(roles.length, APPLICATION_ROLES.length);
      for (const { rolname, rolsuper, rolbypassrls, owned } of roles) {
        assert.deepEqual([rolsuper, rolbypassrls, owned], [false, false, 0], rolname);
      }
    },
  );

  await t.step("the service's login has no right of its own before it takes a role", async () => {
    const [rights] = await sql`
      select count(*)::int as count from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> 'schema_migrations'
        and has_table_privilege('customer_service', c.oid, 'select, insert, update, delete')`;
    assert.equal(rights?.count, 0);
  });
});
