/** The service with a transaction pooler: nothing that it needs is kept by a session. */
import assert from "node:assert/strict";
import postgres from "postgres";
import {
  openEnclosingPool,
  openPool,
  openTransactionPool,
  type Role,
  type Sql,
  writeStore,
} from "../../db/connect.ts";
import { createLookups } from "../../db/lookups.ts";
import { requireSettings } from "../../db/requirements.ts";
import { countWork } from "../../db/work_counts.ts";
import { createNotifier } from "../../db/work.ts";
import { createDatabase, type TestDatabase } from "../database.ts";
import { gatewayHeaders, portsOf, production, TRUSTING } from "../production.ts";
import { startService } from "../service.ts";
import { eventually } from "../eventually.ts";
import { freePort } from "../ports.ts";
import { startTransactionPooler } from "../transaction_pooler.ts";
import { liveThrough } from "./scenario.ts";

Deno.test("through a pooler that moves every transaction to another session, a customer is served as always", async () => {
  await using behind = await createBehindPooler();
  await liveThrough(behind.database, behind.open("customer_api", 8), behind.open("customer_reader", 4));
  const worker = behind.open("customer_worker", 2);
  for (let at = 0; at < 4; at++) await countWork(worker);
  await requireSettings(worker, "customer_worker");
  assert.ok(behind.pooler.moves() > 10, `${behind.pooler.moves()} moves`);
});

Deno.test("no transaction leaves a role, a setting, a store or a statement to the session", async () => {
  await using behind = await createBehindPooler();
  const pool = behind.open("customer_api", 1);
  const storeId = crypto.randomUUID();
  const outcomes = [
    writeStore(pool, storeId, (tx) => tx`select ${1}::int`),
    assert.rejects(writeStore(pool, storeId, (tx) => tx`select 1 / ${0}::int`), { code: "22012" }),
    pool`select ${2}::int`,
    assert.rejects(pool`select 1 / ${0}::int as quotient`, { code: "22012" }),
    assert.rejects(pool`select nonsense`, { code: "42703" }),
  ];
  for (const outcome of outcomes) await outcome;
  // The only session of this pooler, without the settings of a transaction.
  const url = Object.assign(new URL(behind.database.url), { port: String(behind.pooler.port) });
  const bare = postgres(url.href, { max: 1, prepare: false });
  try {
    for (let at = 0; at < 2; at++) {
      const [row] = await bare`
        select session_user = current_user as plain, current_setting('app.store_id', true) as store,
          current_setting('statement_timeout') as "limit",
          (select count(*)::int from pg_prepared_statements where name <> '') as statements`;
      assert.deepEqual({ ...row, store: row?.store ?? "" }, {
        plain: true,
        store: "",
        limit: "0",
        statements: 0,
      });
    }
  } finally {
    await bare.end();
  }
});

Deno.test("through a pooler, a command and a lookup need as many writes and round trips as without one", async () => {
  await using database = await createDatabase();
  const storeId = crypto.randomUUID();
  const key = { storeId, customerId: crypto.randomUUID() };
  const counts = async (open: typeof openPool) => {
    await using proxy = countingProxy(Number(new URL(database.url).port));
    const url = Object.assign(new URL(database.url), { port: String(proxy.port) }).href;
    const [api, reader] = [open(url, "customer_api", 1), open(url, "customer_reader", 1)];
    const lookups = createLookups(reader);
    const steps = {
      lookup: () => lookups.findCustomerGroups(key),
      command: () =>
        writeStore(api, storeId, async (tx) => {
          await tx`select from customers where store_id = ${storeId} for update`;
          await tx`update customers set version = version + 1 where store_id = ${storeId}`;
        }),
    };
    try {
      const figures: Record<string, number> = {};
      for (const [name, step] of Object.entries(steps)) {
        await step(); // connects, and learns the types of the parameters
        const before = proxy.turns();
        await step();
        figures[name] = proxy.turns() - before;
      }
      return figures;
    } finally {
      await Promise.all([api.end(), reader.end()]);
    }
  };
  const direct = await counts(openPool);
  assert.deepEqual(direct, { lookup: 1, command: 4 }); // begin, store and lock, update, commit
  assert.deepEqual(await counts(openTransactionPool), direct);
});

Deno.test("a failed single statement is an error of its own, and its connection serves the next one", async () => {
  await using database = await createDatabase();
  const pool = openTransactionPool(database.url, "customer_reader", 1);
  try {
    const outcomes = await Promise.allSettled([
      pool`select ${1}::int as one`,
      pool`select 1 / ${0}::int`,
      pool`select * from customers`,
      pool`select ${2}::int as two`,
    ]);
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status === "fulfilled" ? outcome.value[0] : outcome.reason.code),
      [{ one: 1 }, "22012", "42501", { two: 2 }],
    );
    assert.deepEqual(pool.traffic(), { idle: 1, used: 0, waiting: 0 });
  } finally {
    await pool.end();
  }
});

Deno.test("a single statement that fails at its commit has failed", async () => {
  await using database = await createDatabase();
  await database.admin.unsafe(`
    create table pairs (id int primary key, other int references pairs (id) deferrable initially deferred);
    grant insert on pairs to customer_api`);
  const pool = openTransactionPool(database.url, "customer_api", 1);
  try {
    await assert.rejects(pool`insert into pairs values (1, 2)`, { code: "23503" });
    await pool`insert into pairs values (3, 3)`;
    assert.deepEqual((await database.admin`select id from pairs`).map(({ id }) => id), [3]);
  } finally {
    await pool.end();
  }
});

Deno.test("a login without the role fails as such, for statements and transactions", async () => {
  await using database = await createDatabase();
  const name = `guest_${crypto.randomUUID().slice(0, 8)}`;
  await database.admin.unsafe(`create role ${name} login password 'guest'`);
  const url = Object.assign(new URL(database.url), { username: name, password: "guest" }).href;
  const pool = openTransactionPool(url, "customer_api", 1);
  try {
    await assert.rejects(pool`select 1`, { code: "42501" });
    await assert.rejects(pool.begin((tx) => tx`select 1`), { code: "42501" });
    assert.deepEqual(pool.traffic(), { idle: 1, used: 0, waiting: 0 });
  } finally {
    await pool.end();
    await database.admin.unsafe(`drop role ${name}`);
  }
});

Deno.test("the whole service runs on a pooler, with DATABASE_DIRECT_URL to PostgreSQL", async () => {
  await using behind = await createBehindPooler();
  const direct = behind.database.url;
  const url = Object.assign(new URL(direct), { port: String(behind.pooler.port) }).href;
  await using service = startService({ ...production(url), ...TRUSTING, DATABASE_DIRECT_URL: direct });
  const { http } = await portsOf(service);
  const origin = `http://127.0.0.1:${http}`;
  const [storeId, id] = [crypto.randomUUID(), crypto.randomUUID()];
  const staff = {
    ...gatewayHeaders({ id: crypto.randomUUID(), storeId }),
    "x-principal-type": "STAFF",
    "x-roles": `CUSTOMER_MANAGER@${storeId}`,
    "content-type": "application/json",
  };
  for (let at = 0; at < 3; at++) {
    const body = JSON.stringify({ email: `${at}.${id}@example.com` });
    const created = await fetch(`${origin}/customers`, { method: "POST", headers: staff, body });
    assert.equal(created.status, 201);
    const { customerId } = await created.json();
    const read = await fetch(`${origin}/customers/${customerId}`, { headers: staff });
    assert.equal((await read.json()).email, `${at}.${id}@example.com`);
    const ready = await fetch(`${origin}/readyz`);
    assert.equal(await ready.text(), "ready\n");
  }
  const { code, output } = await service.stop("SIGTERM");
  assert.equal(code, 0);
  assert.doesNotMatch(output, /42501|25P02|26000|08P01/);
});

Deno.test("single statements of an enclosing pool run in a transaction of their own, which keeps no store", async () => {
  await using database = await createDatabase();
  const pools = [
    openEnclosingPool(database.url, "customer_api", 1),
    openPool(database.url, "customer_api", 1),
  ];
  const [enclosing, plain] = pools as [Sql, Sql];
  try {
    await enclosing`savepoint inside`;
    await assert.rejects(plain`savepoint inside`, { code: "25P01" }); // no_active_sql_transaction
    await enclosing`select enter_store(${crypto.randomUUID()})`;
    const [row] = await enclosing<{ store: string | null }[]>`select current_store() as store`;
    assert.equal(row?.store, null);
    await assert.rejects(enclosing`select from nothing`, { code: "42P01" });
  } finally {
    await Promise.all(pools.map((sql) => sql.end({ timeout: 1 })));
  }
});

const PGBOUNCER = Deno.env.get("TEST_PGBOUNCER") ?? "pgbouncer";

Deno.test({
  name:
    "PgBouncer in transaction mode serves a customer, wakes workers, and a direct pool is refused by name",
  ignore: !(await isInstalled(PGBOUNCER)),
  async fn() {
    await using database = await createDatabase();
    await using bouncer = await startPgBouncer(database);
    const pools = [
      openTransactionPool(bouncer.url, "customer_api", 8),
      openTransactionPool(bouncer.url, "customer_reader", 4),
    ] as const;
    const refused = openPool(bouncer.url, "customer_api", 1);
    const direct = database.pool("customer_worker", 1);
    try {
      await liveThrough(database, ...pools);
      const woken = Promise.withResolvers<void>();
      await direct.listen("customer_work", () => woken.resolve());
      createNotifier(pools[0])(crypto.randomUUID());
      await woken.promise;
      await assert.rejects(refused`select 1`, /unsupported startup parameter/);
    } finally {
      await Promise.all([...pools, refused].map((sql) => sql.end({ timeout: 1 })));
    }
  },
});

async function isInstalled(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null" }).output()).success;
  } catch {
    return false;
  }
}

async function createBehindPooler() {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await createDatabase());
  const pooler = stack.use(startTransactionPooler(Number(new URL(database.url).port)));
  const url = Object.assign(new URL(database.url), { port: String(pooler.port) }).href;
  const owned = stack.move();
  return {
    database,
    pooler,
    open(role: Role, max: number): Sql {
      return owned.adopt(openTransactionPool(url, role, max), (sql) => sql.end({ timeout: 1 }));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Proxy that counts how often the client begins to send after the server has sent. */
function countingProxy(to: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let turns = 0;
  const copy = async (from: Deno.Conn, into: Deno.Conn, counted: boolean) => {
    const buffer = new Uint8Array(65_536);
    for (let read = await from.read(buffer); read !== null; read = await from.read(buffer)) {
      if (counted) turns++;
      for (let sent = 0; sent < read;) sent += await into.write(buffer.subarray(sent, read));
    }
  };
  const serving = (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: to });
      open.add(client).add(server);
      copy(client, server, true).catch(() => {});
      copy(server, client, false).catch(() => {});
    }
  })();
  return {
    port: listener.addr.port,
    /** Number of reads of what clients send: at least one per write and round trip. */
    turns: () => turns,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const side of open) side.close();
      await serving;
    },
  };
}

/** Starts a real PgBouncer with two server sessions before the database. */
async function startPgBouncer(database: TestDatabase) {
  const { hostname, port: serverPort, pathname, username, password } = new URL(database.url);
  const folder = await Deno.makeTempDir({ prefix: "customer-service-pgbouncer-" });
  await Deno.chmod(folder, 0o755);
  const port = freePort();
  await Deno.writeTextFile(
    `${folder}/pgbouncer.ini`,
    `[databases]
* = host=${hostname} port=${serverPort} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
`,
  );
  const asRoot = Deno.uid() === 0 ? { uid: 65534, gid: 65534 } : {};
  const process = new Deno.Command(PGBOUNCER, {
    args: ["-q", `${folder}/pgbouncer.ini`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    ...asRoot,
  }).spawn();
  await eventually(async () => (await Deno.connect({ hostname: "127.0.0.1", port })).close());
  return {
    url: `postgres://any:any@127.0.0.1:${port}${pathname}`,
    async [Symbol.asyncDispose]() {
      process.kill("SIGTERM");
      await process.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}
