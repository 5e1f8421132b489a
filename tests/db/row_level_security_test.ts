/** Row-level security: every role tries to reach every table of another store. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { enterStore, openPool, type Role, type Sql, type Tx } from "../../db/connect.ts";
import { createLookups } from "../../db/lookups.ts";
import { migrate } from "../../db/migrate.ts";
import { ADDRESS, createGroup, createWorld, register, tell, type World } from "../actors/world.ts";

const TABLES = [
  "customers",
  "customer_addresses",
  "shopper_groups",
  "customer_group_memberships",
  "actor_events",
  "timers",
  "effects",
  "outbox",
  "idempotency_keys",
  "guests",
  "gdpr_requests",
  "gdpr_participants",
  "gdpr_notices",
  "gdpr_export_parts",
  "gdpr_exports",
  "erased_subjects",
  "email_hashes",
  "erasure_receipts",
  "rate_limits",
  "ended_sessions",
  "store_settings",
  "customer_holds",
];
/** Tables that customer_worker processes: it sees them for every store, and they hold no personal value. */
const WORK_TABLES = ["timers", "effects", "outbox"];
/** Tables about the database itself, without a store; customer_worker alone reads and writes them. */
const ABOUT_DATABASE = [
  "erasure_cleanup",
  "erasure_log_positions",
  "erasure_marker",
  "erasure_memory_decisions",
  "retention_sweep",
];
/** No role reads or changes these; customer_reader counts in them by a function. */
const UNSEEN = ["rate_limits"];
/** Tables of which customer_worker sees expired rows, and nothing else. */
const EXPIRING: Record<string, string[]> = {
  gdpr_export_parts: ["store_id", "request_id", "part", "expires_at"],
  idempotency_keys: ["expires_at"],
  rate_limits: ["expires"],
  ended_sessions: ["expires_at"],
};
/** Tables of evidence, which must be neither lost nor deleted. */
const KEPT = [
  "guests",
  "gdpr_requests",
  "gdpr_participants",
  "gdpr_notices",
  "erased_subjects",
  "email_hashes",
  "erasure_receipts",
  "actor_events",
  "customer_holds",
];
const DENIED = "42501";

Deno.test("no role reaches another store", async (t) => {
  await using world = await createWorld();
  const other: World = { ...world, storeId: crypto.randomUUID() };
  other.system = { ...world.system, storeId: other.storeId };
  await fill(world);
  await fill(other);
  const { admin, database } = world;
  const api = database.pool("customer_api", 2);
  const reader = database.pool("customer_reader", 1);
  const worker = database.pool("customer_worker", 1);

  await t.step("the list of tables is complete, and each holds rows of both stores", async () => {
    const existing = await admin`
      select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
        and relname <> 'schema_migrations'`;
    assert.deepEqual(existing.map((row) => row.relname).sort(), [...TABLES, ...ABOUT_DATABASE].sort());
    for (const table of TABLES) {
      for (const { storeId } of [world, other]) {
        assert.ok((await rowsOf(admin, table, storeId)).length > 0, table);
      }
    }
  });

  for (const table of UNSEEN) {
    await t.step(`customer_api has no right on ${table}`, async () => {
      await assert.rejects(api`select 1 from ${api(table)}`, { code: DENIED });
      await assert.rejects(api`delete from ${api(table)}`, { code: DENIED });
    });
  }

  for (const table of TABLES.filter((table) => !UNSEEN.includes(table))) {
    await t.step(`customer_api in one store neither sees nor touches another one's ${table}`, async () => {
      const inStore = <T>(run: (tx: Tx) => Promise<T>) =>
        api.begin(async (tx) => {
          await enterStore(tx, world.storeId);
          return await run(tx);
        });
      const seen = await inStore((tx) => tx`select distinct store_id from ${tx(table)}`);
      assert.deepEqual(seen.map((row) => row.storeId), [world.storeId]);
      const before = await rowsOf(admin, table, other.storeId);

      const foreign = before[0];
      assert.ok(foreign);
      const insertion = await insertionInto(admin, table);
      await assert.rejects(inStore((tx) => tx.unsafe(insertion, [foreign as never])), { code: DENIED });
      await nothingTouched(
        inStore((tx) => tx`update ${tx(table)} set store_id = store_id where store_id = ${other.storeId}`),
      );
      await nothingTouched(inStore((tx) => tx`delete from ${tx(table)} where store_id = ${other.storeId}`));
      await assert.rejects(inStore((tx) => tx`update ${tx(table)} set store_id = ${other.storeId}`), {
        code: DENIED,
      });
      assert.deepEqual(await rowsOf(admin, table, other.storeId), before);
    });

    await t.step(`customer_api outside of any store sees no ${table}`, async () => {
      assert.equal((await api`select 1 from ${api(table)}`).length, 0);
    });
  }

  for (const table of TABLES) {
    await t.step(`customer_reader has no right on ${table}`, async () => {
      await assert.rejects(reader`select 1 from ${reader(table)}`, { code: DENIED });
      await assert.rejects(reader`delete from ${reader(table)}`, { code: DENIED });
    });

    await t.step(
      `customer_worker ${WORK_TABLES.includes(table) ? "cannot move or add" : "cannot read"} ${table}`,
      async () => {
        if (!WORK_TABLES.includes(table)) {
          await assert.rejects(worker`select * from ${worker(table)}`, { code: DENIED });
        }
        const [row] = await rowsOf(admin, table, other.storeId);
        const insertion = await insertionInto(admin, table);
        await assert.rejects(worker.unsafe(insertion, [row as never]), { code: DENIED });
        await assert.rejects(worker`update ${worker(table)} set store_id = ${world.storeId}`, {
          code: DENIED,
        });
      },
    );
  }

  await t.step("customer_worker reads only the expiry columns of expiring tables", async () => {
    const readable = await admin<{ line: string }[]>`
      select relname || '.' || attname as line from pg_class c
      join pg_attribute a on a.attrelid = c.oid and attnum > 0 and not attisdropped
      where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> all(${[
      ...WORK_TABLES,
      ...ABOUT_DATABASE,
      "schema_migrations",
    ]})
        and has_column_privilege('customer_worker', c.oid, attnum, 'select')`;
    const expected = Object.entries(EXPIRING).flatMap(([table, columns]) =>
      columns.map((column) => `${table}.${column}`)
    );
    assert.deepEqual(readable.map(({ line }) => line).sort(), expected.sort());
  });

  await t.step("no role deletes evidence or changes a receipt", async () => {
    for (const role of ["customer_api", "customer_reader", "customer_worker"] satisfies Role[]) {
      const sql = database.pool(role, 1);
      for (const table of KEPT) await assert.rejects(sql`delete from ${sql(table)}`, { code: DENIED });
      await assert.rejects(sql`update erasure_receipts set sequence = sequence`, { code: DENIED });
    }
  });

  await t.step("no role changes the journal, except to empty a reason or a note", async () => {
    const columns = (await admin<{ columnName: string }[]>`
      select column_name from information_schema.columns where table_name = 'actor_events'`)
      .map(({ columnName }) => columnName);
    const TEXTS = ["reason", "note"];
    for (const role of ["customer_api", "customer_reader", "customer_worker"] satisfies Role[]) {
      const sql = database.pool(role, 1);
      for (const column of columns.filter((name) => !TEXTS.includes(name) || role !== "customer_api")) {
        const change = sql`update actor_events set ${sql(column)} = ${sql(column)}`;
        await assert.rejects(change, { code: DENIED }, `${role} ${column}`);
      }
    }
    await admin`update actor_events set reason = 'a lawsuit', note = 'of 2026'`;
    const inStore = (run: (tx: Tx) => Promise<{ count: number }>) =>
      api.begin(async (tx) => {
        await enterStore(tx, world.storeId);
        return (await run(tx)).count;
      });
    for (const column of TEXTS) {
      const rewriting = inStore((tx) => tx`update actor_events set ${tx(column)} = 'another one'`);
      await assert.rejects(rewriting, { code: DENIED });
    }
    const emptied = await inStore((tx) => tx`update actor_events set reason = null, note = null`);
    const left = await admin`
      select distinct store_id from actor_events where reason is not null or note is not null`;
    assert.ok(emptied > 0);
    assert.deepEqual(left.map(({ storeId }) => storeId), [other.storeId]);
  });

  await t.step("only customer_worker counts and looks up erasures of other stores", async () => {
    for (const role of ["customer_api", "customer_reader"] satisfies Role[]) {
      const sql = database.pool(role, 1);
      await assert.rejects(sql`select lookup_erasure_count()`, { code: DENIED });
      await assert.rejects(sql`select lookup_newest_erasure()`, { code: DENIED });
      await assert.rejects(sql`select lookup_erased_hashes('{}', '{}', '{}')`, { code: DENIED });
      for (const table of ABOUT_DATABASE) {
        await assert.rejects(sql`select from ${sql(table)}`, { code: DENIED });
      }
    }
    const [row] = await worker`select lookup_erasure_count()::int as erasures`;
    assert.ok(row?.erasures > 0);
  });

  await t.step("no role but customer_reader executes the lookups", async () => {
    for (const role of ["customer_api", "customer_worker"] satisfies Role[]) {
      const sql = database.pool(role, 1);
      await assert.rejects(sql`select * from lookup_customers('{}', '{}')`, { code: DENIED });
      await assert.rejects(sql`select * from lookup_customer_groups('{}', '{}')`, { code: DENIED });
      await assert.rejects(sql`select * from lookup_gdpr_requests('{}', '{}', '{}', '{}', '{}')`, {
        code: DENIED,
      });
      await assert.rejects(sql`select * from lookup_gdpr_participants('{}', '{}', '{}')`, { code: DENIED });
    }
  });
});

Deno.test("a serving login cannot become the owner or a superuser, and needs neither", async () => {
  await using world = await createWorld();
  const { admin, database } = world;
  await fill(world);
  const login = `serves_${crypto.randomUUID().slice(0, 8)}`;
  await admin.unsafe(`
    create role ${login} login noinherit password 'serves';
    grant customer_api, customer_reader, customer_worker to ${login}`);
  const { href } = Object.assign(new URL(database.url), { username: login, password: "serves" });
  const pools = (["customer_api", "customer_reader", "customer_worker"] satisfies Role[])
    .map((role) => openPool(href, role, 1));
  try {
    assert.deepEqual(await migrate(href), []);
    for (const sql of pools) {
      for (const role of ["customer_owner", "postgres"]) {
        await assert.rejects(sql`set role ${sql(role)}`, { code: DENIED });
      }
      await sql`reset role`; // back to the connection's first role
      const [{ role } = {}] = await sql`select current_user as role`;
      assert.equal(role, sql.options.connection.role);
      await assert.rejects(sql`alter table customers disable row level security`, { code: DENIED });
      await assert.rejects(sql`create function public.lookup() returns int language sql as 'select 1'`, {
        code: DENIED,
      });
    }
  } finally {
    await Promise.all(pools.map((sql) => sql.end()));
    await admin.unsafe(`drop role ${login}`);
  }
});

Deno.test("lookups ignore tables that a reader creates under the same names", async () => {
  await using world = await createWorld();
  const ref = await register(world, { email: "ada@example.com" });
  const reader = world.database.pool("customer_reader", 1);
  await reader`create temp table customers (store_id uuid, customer_id uuid, anonymized_at timestamptz)`;
  await reader`set search_path = pg_temp, public`;
  const found = await createLookups(reader).findCustomer({ storeId: ref.storeId, customerId: ref.id });
  assert.equal(found?.email, "ada@example.com");
});

/** Inserts rows of the store into every table. */
async function fill(world: World): Promise<void> {
  const ref = await register(world);
  await tell(
    world,
    { kind: "store_settings", storeId: world.storeId, id: world.storeId },
    "settings.change",
    {
      name: "Bergladen",
    },
  );
  await tell(world, ref, "address.add", ADDRESS, { idempotencyKey: "one" });
  await tell(world, ref, "hold.place", { ground: "LEGAL_CLAIM" });
  const group = await createGroup(world);
  await tell(world, ref, "group.assign", { groupId: group.id });
  await tell(world, await createGroup(world), "group.delete"); // leaves an effect
  await world.admin`
    insert into timers (store_id, actor_kind, actor_id, name, event, due_at, created_at)
    values (${world.storeId}, 'customer', ${ref.id}, 'some delay', '{"type":"some.event"}', now(), now())`;
  const request = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell(world, request, "open", { customerId: ref.id, right: "ACCESS" });
  const ofGuest = { ...request, id: crypto.randomUUID() };
  await tell(world, ofGuest, "open", { subject: { email: "guest@example.com" }, right: "ACCESS" });
  const { storeId } = world;
  await world.admin`
    insert into gdpr_participants (store_id, request_id, service, state)
    values (${storeId}, ${request.id}, 'order-service', 'ASKED')`;
  await world.admin`
    insert into gdpr_export_parts (store_id, request_id, part, media_type, expires_at)
    values (${storeId}, ${request.id}, 'source/order-service', 'application/x-ndjson', now())`;
  await world.admin`
    insert into gdpr_exports (store_id, request_id, part, chunk, bytes)
    values (${storeId}, ${request.id}, 'source/order-service', 0, '\\x00')`;
  await world.admin`
    insert into erased_subjects (store_id, customer_id, erased_at) values (${storeId}, gen_random_uuid(), now())`;
  await world.admin`
    insert into email_hashes (store_id, customer_id, hash) values (${storeId}, gen_random_uuid(), '\\x00')`;
  await world.admin`insert into rate_limits values (${storeId}, 'someone', 1, 0)`;
  await world.admin`insert into ended_sessions values (${storeId}, sha256('token'), now())`;
  await world.admin`
    insert into erasure_receipts (store_id, sequence, request_id, document, hash, signature, key_id, public_key)
    values (${storeId}, 1, ${request.id}, '{}', '\\x00', '\\x00', 'key', '\\x00')`;
}

async function rowsOf(admin: Sql, table: string, storeId: string): Promise<Record<string, unknown>[]> {
  const rows = await admin`select to_json(t) as row from ${
    admin(table)
  } t where store_id = ${storeId} order by t::text`;
  return rows.map((row) => row.row);
}

/** Statement that inserts the row of its one JSON parameter. */
async function insertionInto(admin: Sql, table: string): Promise<string> {
  const rows = await admin<{ columnName: string }[]>`
    select column_name from information_schema.columns
    where table_schema = 'public' and table_name = ${table} and is_generated = 'NEVER' and is_identity = 'NO'`;
  const columns = rows.map((row) => row.columnName).join(", ");
  return `insert into ${table} (${columns}) select ${columns} from jsonb_populate_record(null::${table}, $1::jsonb)`;
}

/** Asserts that the right is missing, or that row-level security leaves no row to touch. */
async function nothingTouched(statement: Promise<postgres.RowList<postgres.Row[]>>): Promise<void> {
  const touched = await statement.then((result) => result.count, (error) => {
    assert.equal(error.code, DENIED);
    return 0;
  });
  assert.equal(touched, 0);
}
