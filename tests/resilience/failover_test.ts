/** Failover: the name of the database leads to another server, whatever becomes of the connections to the old one. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { bootstrap } from "../../db/bootstrap.ts";
import { writeStore } from "../../db/connect.ts";
import { type Embedded, startEmbedded } from "../../db/embedded.ts";
import { asDomainError } from "../../db/errors.ts";
import { migrate } from "../../db/migrate.ts";
import { readStore } from "../../db/store_reader.ts";
import { createDatabase } from "../database.ts";
import { eventually } from "../eventually.ts";
import { gatewayHeaders, portsOf, production, TRUSTING } from "../production.ts";
import { startService, temporaryFolder } from "../service.ts";
import { startTcpProxy } from "../tcp_proxy.ts";

Deno.test("after a failover in which the old server's sessions live on, writes and readiness return", async () => {
  await using stack = new AsyncDisposableStack();
  const [first, second] = await Promise.all([startDatabase(stack), startDatabase(stack)]);
  const name = startTcpProxy(0, first.port);
  stack.defer(() => name.close());
  const service = stack.use(startService({ ...production(first.urlAt(name.port)), ...TRUSTING }));
  const { http } = await portsOf(service);
  const storeId = crypto.randomUUID();
  const register = async () => {
    const response = await fetch(`http://127.0.0.1:${http}/customers`, {
      method: "POST",
      headers: {
        ...gatewayHeaders({ id: crypto.randomUUID(), storeId }),
        "x-principal-type": "STAFF",
        "x-roles": `CUSTOMER_MANAGER@${storeId}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ email: `${crypto.randomUUID()}@example.com` }),
    });
    const { code, message } = await response.json();
    return [response.status, code, message];
  };
  const readyz = async () => {
    const response = await fetch(`http://127.0.0.1:${http}/readyz`);
    await response.body?.cancel();
    return response.status;
  };
  const servesOn = async (server: Server) => {
    await eventually(async () => assert.equal((await register())[0], 201));
    assert.equal(await readyz(), 200);
    await eventually(async () => assert.ok(await server.sessions() > 0));
  };
  const refuses = async () => {
    await eventually(async () => assert.equal(await readyz(), 503));
    assert.deepEqual((await register()).slice(0, 2), [503, "UNAVAILABLE"]);
  };
  await servesOn(first);

  // A demoted server whose sessions stay open, and its successor.
  await first.ask("alter system set default_transaction_read_only = on");
  await first.ask("select pg_reload_conf()");
  await refuses();
  name.switchTo(second.port);
  await servesOn(second);
  await eventually(async () => assert.equal(await first.sessions(), 0));
  assert.ok(await second.customers() > 0);

  // The name leads to a standby for a moment, as an old DNS entry does; then the standby is promoted.
  const standby = await first.restartAsStandby();
  name.switchTo(standby.port);
  name.cut();
  await refuses();
  await standby.ask("alter system reset default_transaction_read_only");
  await standby.ask("select pg_reload_conf()");
  await standby.ask("select pg_promote()");
  await servesOn(standby);

  // A host that accepts connections and answers nothing.
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  name.switchTo(silent.addr.port);
  name.cut();
  await refuses();
  name.switchTo(second.port);
  name.cut();
  await servesOn(second);
});

Deno.test("a server that becomes read-only loses all sessions of a pool, the idle ones too", async () => {
  await using database = await createDatabase();
  const [storeId, pool] = [crypto.randomUUID(), database.pool("customer_api", 3)];
  const pids = async () => {
    const rows = await database.admin<{ pid: number }[]>`
      select pid from pg_stat_activity
      where datname = current_database() and application_name like '%customer_api'`;
    return rows.map(({ pid }) => pid);
  };
  await Promise.all([1, 2, 3].map(() => pool.begin((tx) => tx`select pg_sleep(0.1)`)));
  const before = await pids();
  assert.equal(before.length, 3);
  const write = () =>
    writeStore(pool, storeId, (tx) => tx`insert into ended_sessions ${tx(session(storeId))}`);
  await setReadOnly(database.admin, true);
  // The open sessions keep their default; a demotion while one is writing is an error of that write.
  await assert.rejects(
    pool.begin((tx) => Promise.all([tx`set transaction read only`, tx`update customers set version = 1`])),
    (error) => asDomainError(error)?.code === "UNAVAILABLE",
  );
  await assert.rejects(write(), (error) => asDomainError(error)?.code === "UNAVAILABLE");
  await eventually(async () => assert.deepEqual(await pids(), []));
  await setReadOnly(database.admin, false);
  await write();
});

Deno.test("a write in a transaction that is read-only by itself is a defect, and its session stays", async () => {
  await using database = await createDatabase();
  const pool = database.pool("customer_api", 1);
  const pid = async () => (await pool`select pg_backend_pid() as pid`)[0]?.pid;
  const before = await pid();
  const wrong = readStore(
    pool,
    crypto.randomUUID(),
    (sql) => sql`update customers set version = 1`,
  );
  await assert.rejects(wrong, (error) => asDomainError(error) === undefined);
  assert.equal(await pid(), before);
});

interface Server {
  port: number;
  /** URL of the service's login through another port. */
  urlAt(port: number): string;
  ask(statement: string): Promise<postgres.Row[]>;
  /** Number of the service's open sessions. */
  sessions(): Promise<number>;
  customers(): Promise<number>;
  /** Stops it and starts a hot standby with its data, on another port. */
  restartAsStandby(): Promise<Server>;
}

/** Starts a server with the migrated schema. */
async function startDatabase(stack: AsyncDisposableStack): Promise<Server> {
  const folder = stack.use(await temporaryFolder());
  const start = () => startEmbedded(folder.path, { settings: { fsync: "off" } });
  const running = { server: await start() };
  stack.defer(() => running.server[Symbol.asyncDispose]());
  const url = await bootstrap(running.server.adminUrl, "customers", "test");
  await migrate(url);
  const at = ({ adminUrl }: Embedded): Server => {
    const { port } = new URL(adminUrl);
    const ask = async (statement: string) => {
      const sql = postgres(Object.assign(new URL(adminUrl), { pathname: "/customers" }).href, { max: 1 });
      return await sql.unsafe(statement).finally(() => sql.end());
    };
    const count = async (from: string) => (await ask(`select count(*)::int as count from ${from}`))[0]?.count;
    return {
      port: Number(port),
      urlAt: (port) => Object.assign(new URL(url), { port: String(port) }).href,
      ask,
      sessions: () => count("pg_stat_activity where application_name like 'customer-service customer_%'"),
      customers: () => count("customers"),
      async restartAsStandby() {
        await running.server[Symbol.asyncDispose]();
        await Deno.writeTextFile(`${folder.path}/postgres/standby.signal`, "");
        running.server = await start();
        return at(running.server);
      },
    };
  };
  return at(running.server);
}

function session(storeId: string) {
  return { store_id: storeId, token_hash: new Uint8Array(32), expires_at: new Date() };
}

async function setReadOnly(admin: postgres.Sql, on: boolean): Promise<void> {
  const [row] = await admin`select current_database() as name`;
  await admin`alter database ${admin(row?.name)} set default_transaction_read_only = ${
    admin.unsafe(String(on))
  }`;
}
