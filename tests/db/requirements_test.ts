/** Databases that the service refuses at its start: one sentence each, and exit code 1. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { readConfig } from "../../config/mod.ts";
import { LOGIN } from "../../db/bootstrap.ts";
import { openPool } from "../../db/connect.ts";
import { migrate } from "../../db/migrate.ts";
import { requireSettings, unsupported } from "../../db/requirements.ts";
import { openDatabase, openPools } from "../../database.ts";
import { explain } from "../../start.ts";
import { ADMIN_URL, createDatabase } from "../database.ts";
import { production, TRUSTING } from "../production.ts";
import { startAndFail } from "../service.ts";
import { startTcpProxy } from "../tcp_proxy.ts";
import { startTransactionPooler } from "../transaction_pooler.ts";

Deno.test("versions before 16 and encodings other than UTF8 are refused", () => {
  const server = { database: "customers", version: 160_000, encoding: "UTF8" };
  assert.equal(unsupported(server), undefined);
  assert.equal(unsupported({ ...server, version: 190_001 }), undefined);
  assert.equal(
    unsupported({ ...server, version: 150_013 }),
    "PostgreSQL 15 is too old: it has to be version 16 or newer",
  );
  for (const encoding of ["SQL_ASCII", "LATIN1", "WIN1252"]) {
    assert.match(
      unsupported({ ...server, encoding })!,
      new RegExp(`^The database "customers" has .* ${encoding}, `),
    );
  }
});

Deno.test("a database that cannot be used is refused in one sentence without the password", async (t) => {
  await using database = await createDatabase();
  await using server = connectAsAdmin();
  const { host, pathname } = new URL(database.url);
  const name = pathname.slice(1);
  const url = (parts: Record<string, string>) => Object.assign(new URL(database.url), parts).href;
  const guest = `guest_${crypto.randomUUID().slice(0, 8)}`;
  await server.sql.unsafe(`create role ${guest} login password 'open-sesame'`);
  const latin = `test_latin_${crypto.randomUUID().replaceAll("-", "")}`;
  await server.sql.unsafe(`create database ${latin} template template0 encoding 'LATIN1' locale 'C'`);
  const cases: Record<string, { url: string; expected: RegExp }> = {
    "another encoding": {
      url: url({ pathname: `/${latin}` }),
      expected: new RegExp(
        `The database "${latin}" has the encoding LATIN1, which lacks letters of some names: create`,
      ),
    },
    "no database": {
      url: url({ pathname: "/none" }),
      expected: new RegExp(`There is no database "none" on ${host}: create it, or correct the URL`),
    },
    "an unknown login": {
      url: url({ username: "unknown", password: "open-sesame" }),
      expected: new RegExp(
        `The server at ${host} refuses the login "unknown" or its password: correct the URL`,
      ),
    },
    "a wrong password": {
      url: url({ password: "open-sesame" }),
      expected: new RegExp(
        `The server at ${host} refuses the login "${LOGIN}" or its password: correct the URL`,
      ),
    },
    "a forgotten grant": {
      url: url({ username: guest, password: "open-sesame" }),
      expected: new RegExp(`The login "${guest}" is not a member of customer_api: grant it customer_api, `),
    },
  };
  try {
    for (const [what, { url, expected }] of Object.entries(cases)) {
      await t.step(what, async () => {
        const message = await refusalOf({ DATABASE_URL: url });
        assert.match(message, expected);
        assert.match(message, /^Cannot prepare the database: [^\n]+$/);
        assert.doesNotMatch(message, /open-sesame/);
      });
    }
    await t.step("a read-only database", async () => {
      await server.sql.unsafe(`alter database ${name} set default_transaction_read_only = on`);
      assert.equal(
        await refusalOf({ DATABASE_URL: database.url }),
        `Cannot prepare the database: The server at ${host} accepts no changes: ` +
          "it is a standby, or default_transaction_read_only is on",
      );
      await server.sql.unsafe(`alter database ${name} reset default_transaction_read_only`);
    });
    await t.step("a forgotten grant, as a process", async () => {
      const text = await startAndFail({ ...production(cases["a forgotten grant"]!.url), ...TRUSTING });
      assert.match(text, /^Cannot prepare the database: The login "guest_\w+" is not a member of [^\n]+\n$/);
    });
  } finally {
    await server.sql.unsafe(`drop database ${latin}`);
    await server.sql.unsafe(`drop role ${guest}`);
  }
});

Deno.test("a server that answers nothing is named", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = silent.addr;
  assert.equal(
    await refusalOf({ DATABASE_URL: `postgres://user:open-sesame@127.0.0.1:${port}/none` }),
    `Cannot prepare the database: The server at 127.0.0.1:${port} does not answer`,
  );
});

Deno.test("a pooler that refuses the session's settings needs DATABASE_DIRECT_URL, and serves with it", async () => {
  await using database = await createDatabase();
  await using pooler = startTransactionPooler(Number(new URL(database.url).port));
  const through = Object.assign(new URL(database.url), { port: String(pooler.port) }).href;
  assert.match(
    await refusalOf({ DATABASE_URL: through }),
    /^Cannot prepare the database: A pooler at \S+ refuses the settings of the session: .*DATABASE_DIRECT_URL to PostgreSQL$/,
  );
  const config = readConfig({
    DATABASE_WAIT: "0s",
    DATABASE_URL: through,
    DATABASE_DIRECT_URL: database.url,
  });
  await using stack = new AsyncDisposableStack();
  const { work } = await openPools(await openDatabase(config, stack), config, stack);
  assert.equal((await work`select current_user as role`)[0]?.role, "customer_worker");
});

Deno.test("a pooler that drops the session's settings is detected", async () => {
  await using database = await createDatabase();
  const bare = postgres(database.url, { max: 1, connection: { role: "customer_reader" } });
  const lost = postgres(database.url, { max: 1 });
  try {
    await assert.rejects(
      requireSettings(bare as never, "customer_reader"),
      /drops the parameter \w+: connect to/,
    );
    await assert.rejects(
      requireSettings(lost as never, "customer_reader"),
      /drops the parameter role: connect to/,
    );
    const pool = openPool(database.url, "customer_reader", 1);
    await requireSettings(pool, "customer_reader");
    await pool.end();
  } finally {
    await Promise.all([bare.end(), lost.end()]);
  }
});

Deno.test("the migration of a login that lost its connection is not explained as a refused login", async () => {
  await using database = await createDatabase();
  const proxy = startTcpProxy(0, 1);
  try {
    const url = Object.assign(new URL(database.url), { port: String(proxy.port) }).href;
    await assert.rejects(migrate(url), { code: "CONNECTION_CLOSED" });
  } finally {
    proxy.close();
  }
});

/** Message of a start that is refused before it serves. */
async function refusalOf(env: Record<string, string>): Promise<string> {
  const config = readConfig({ DATABASE_WAIT: "0s", ...env });
  await using stack = new AsyncDisposableStack();
  const starting = (async () => await openPools(await openDatabase(config, stack), config, stack))();
  return await starting.then(() => assert.fail("it started"), explain);
}

function connectAsAdmin() {
  const sql = postgres(ADMIN_URL, { max: 1, onnotice: () => {} });
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) };
}
