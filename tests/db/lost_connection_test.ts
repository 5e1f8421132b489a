/**
 * Lost connections: each one fails its transaction, and nothing else. vendor/README.md has the reason for
 * these tests.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { asDomainError } from "../../db/errors.ts";
import type { Sql, Tx } from "../../db/connect.ts";
import { openPool } from "../../db/connect.ts";
import { createDatabase, type TestDatabase } from "../database.ts";
import { startTcpProxy, type TcpProxy } from "../tcp_proxy.ts";
import { succeedsWithin } from "../../lib/timeout.ts";

Deno.test("a transaction whose connection is lost fails, and its later statements are not sent", async () => {
  await using database = await createDatabase();
  const pool = database.pool("customer_api", 1);
  const abandoned = Promise.withResolvers<Tx>();
  const first = pool.begin(async (tx) => {
    const [row] = await tx`select pg_backend_pid() as pid`;
    await terminate(database.admin, row?.pid);
    abandoned.resolve(tx);
    await tx`select pg_sleep(60)`;
  });
  await assert.rejects(first, (error) => asDomainError(error)?.code === "UNAVAILABLE");

  // The only connection of the pool serves another caller now.
  const stray = await abandoned.promise;
  await pool.begin(async (tx) => {
    await tx`select set_config('app.store_id', ${crypto.randomUUID()}, true)`;
    await assert.rejects(stray`select set_config('app.store_id', '', true)`, { code: "CONNECTION_CLOSED" });
    await assert.rejects(stray`rollback`, { code: "CONNECTION_CLOSED" });
    const [row] = await tx`select current_store() is not null as "inStore"`;
    assert.equal(row?.inStore, true);
  });
});

Deno.test("a pool whose connections are killed repeatedly under load keeps working", async () => {
  await using database = await createDatabase();
  const pool = database.pool("customer_api", 4);
  const outcomes: boolean[] = [];
  const busy = Array.from({ length: 8 }, async () => {
    for (let at = 0; at < 40; at++) {
      const work = pool.begin(async (tx) => {
        await Promise.all([tx`select 1`, tx`select ${"x".repeat(500)}`, tx`select 2`]);
        await tx`select pg_sleep(0.002)`;
      });
      outcomes.push(
        await work.then(() => true, (error) => {
          assert.equal(asDomainError(error)?.code, "UNAVAILABLE", String(error));
          return false;
        }),
      );
    }
  });
  for (let at = 0; at < 20; at++) await killAll(database);
  await Promise.all(busy);
  assert.ok(outcomes.includes(true) && outcomes.includes(false));
  assert.equal((await pool`select 1 as one`)[0]?.one, 1);
});

Deno.test("a proxy that closes at once counts as an unavailable database, without a retry loop", async () => {
  let calls = 0;
  await using proxy = hangUp(() => calls++);
  const pool = openPool(`postgres://unknown:nothing@127.0.0.1:${proxy.port}/none`, "customer_api", 2);
  const outcomes = await Promise.allSettled([pool`select 1`, pool.begin((tx) => tx`select 1`)]);
  for (const outcome of outcomes) {
    assert.ok(outcome.status === "rejected");
    assert.equal(asDomainError(outcome.reason)?.code, "UNAVAILABLE");
  }
  assert.equal(calls, 2);
  await pool.end({ timeout: 0 });
});

Deno.test("a result that fails after its first rows leaves none of them to the next query", async () => {
  await using database = await createDatabase();
  const pool = openPool(database.url, "customer_reader", 1, { statementMs: 200 });
  try {
    const slow = pool`
      select n, case when n = 1000 then pg_sleep(60)::text end as slept from generate_series(1, 1000) n`;
    await assert.rejects(slow, { code: "57014" });
    assert.deepEqual([...await pool`select 1 as one`], [{ one: 1 }]);

    const wrong = () => pool`select 1 / (1000 - n) as quotient from generate_series(1, 1000) n`;
    await assert.rejects(wrong(), { code: "22012" });
    assert.deepEqual([...await pool`select 2 as two`], [{ two: 2 }]);
    // In a pipeline, the next statement has been sent before the failure.
    const [failed, next] = await Promise.allSettled([wrong(), pool`select 3 as three`]);
    assert.equal(failed.status, "rejected");
    assert.deepEqual(next.status === "fulfilled" && [...next.value], [{ three: 3 }]);
  } finally {
    await pool.end({ timeout: 1 });
  }
});

Deno.test("a connection that is lost in the middle of a result leaves no rows to its successor", async () => {
  await using database = await createDatabase();
  let seen = () => {};
  const from = (row: unknown) => {
    seen();
    return row;
  };
  // With the array types, the driver's own query would run first and hide the leftover rows.
  const pool = postgres(database.adminUrl, { max: 1, fetch_types: false, transform: { row: { from } } });
  try {
    const [row] = await pool`select pg_backend_pid() as pid`;
    const arrived = Promise.withResolvers<void>();
    seen = arrived.resolve;
    // Large enough for PostgreSQL to send the first rows before the last one exists.
    const streaming = pool`
      select repeat('x', 1000) as filler, case when n = 1000 then pg_sleep(60)::text end as slept
      from generate_series(1, 1000) n`;
    const lost = assert.rejects(streaming, (error) => asDomainError(error)?.code === "UNAVAILABLE");
    await arrived.promise;
    await terminate(database.admin, row?.pid);
    await lost;
    assert.deepEqual([...await pool`select 1 as one`], [{ one: 1 }]);
  } finally {
    await pool.end({ timeout: 1 });
  }
});

/** Brings a pool of one connection into a state, then silences the database; returns the pending results. */
const SILENCED: Record<string, (pool: Sql, door: TcpProxy) => Promise<Promise<unknown>[]>> = {
  "while its connection is idle": async (pool, door) => {
    await pool`select 1`;
    door.hold(true);
    return [];
  },
  "while a statement waits for its answer": async (pool, door) => {
    await pool`select 1`;
    door.hold(true);
    return [pool`select 2`.execute()];
  },
  "inside a transaction": async (pool, door) => {
    const began = Promise.withResolvers<void>();
    const transaction = pool.begin(async (tx) => {
      await tx`select 1`;
      door.hold(true);
      began.resolve();
      await tx`select 2`;
    });
    await began.promise;
    return [transaction];
  },
  "while a connection is being made": (pool, door) => {
    door.hold(true);
    return Promise.resolve([pool`select 1`.execute()]);
  },
};

Deno.test("a pool ends although its database has fallen silent", async () => {
  await using database = await createDatabase();
  const endings = Object.entries(SILENCED).map(async ([when, silence]) => {
    const url = new URL(database.url);
    const door = startTcpProxy(0, Number(url.port));
    url.port = String(door.port);
    const pool = openPool(url.href, "customer_worker", 1, {});
    try {
      const waiting = await silence(pool, door);
      const failed = waiting.map((work) =>
        assert.rejects(work, (error) => asDomainError(error)?.code === "UNAVAILABLE")
      );
      assert.ok(await succeedsWithin(pool.end(), 60_000), `${when}, it waits without end`);
      await Promise.all(failed);
    } finally {
      door.close();
    }
  });
  await Promise.all(endings);
});

/** Server that closes every connection at once. */
function hangUp(called: () => void) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      called();
      connection.close();
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

async function terminate(admin: Sql, pid: number): Promise<void> {
  await admin`select pg_terminate_backend(${pid})`;
}

async function killAll({ admin }: TestDatabase): Promise<void> {
  await admin`
    select pg_terminate_backend(pid), pg_sleep(0.005) from pg_stat_activity
    where datname = current_database() and application_name like '%customer_api'`;
}
