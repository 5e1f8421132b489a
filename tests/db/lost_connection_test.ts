/** A connection that is lost takes its transaction with it, and nothing else: vendor/README.md says why that is tested. */
import assert from "node:assert/strict";
import { asDomainError } from "../../actors/errors.ts";
import type { Sql, Tx } from "../../db/connect.ts";
import { openPool } from "../../db/connect.ts";
import { createDatabase, type TestDatabase } from "../database.ts";

Deno.test("a transaction whose connection is lost fails, and its later statements go nowhere", async () => {
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

  // The one connection of the pool serves somebody else now.
  const stray = await abandoned.promise;
  await pool.begin(async (tx) => {
    await tx`select set_config('app.store_id', ${crypto.randomUUID()}, true)`;
    await assert.rejects(stray`select set_config('app.store_id', '', true)`, { code: "CONNECTION_CLOSED" });
    await assert.rejects(stray`rollback`, { code: "CONNECTION_CLOSED" });
    const [row] = await tx`select current_store() is not null as "inStore"`;
    assert.equal(row?.inStore, true);
  });
});

Deno.test("a pool whose connections are killed again and again under load goes on working", async () => {
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

Deno.test("a proxy that hangs up at once is a database that is away, and is not asked again and again", async () => {
  let calls = 0;
  await using proxy = hangUp(() => calls++);
  const pool = openPool(`postgres://nobody:nothing@127.0.0.1:${proxy.port}/none`, "customer_api", 2);
  const outcomes = await Promise.allSettled([pool`select 1`, pool.begin((tx) => tx`select 1`)]);
  for (const outcome of outcomes) {
    assert.ok(outcome.status === "rejected");
    assert.equal(asDomainError(outcome.reason)?.code, "UNAVAILABLE");
  }
  assert.equal(calls, 2);
  await pool.end({ timeout: 0 });
});

/** A server that closes every connection as soon as it is there. */
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
