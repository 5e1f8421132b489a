/** Timeouts of PostgreSQL, and the bounded queue for its connections. */
import assert from "node:assert/strict";
import { asDomainError } from "../../db/errors.ts";
import { openPool, POOL_LIMITS, type PoolLimits, type Role } from "../../db/connect.ts";
import { createDatabase, type TestDatabase } from "../database.ts";
import { startTcpProxy } from "../tcp_proxy.ts";
import { eventually } from "../eventually.ts";

const TOO_MUCH = "The database has too much to do: try again";

Deno.test("connections of each role have its timeouts", async () => {
  await using db = await createDatabase();
  for (const [role, { statementMs = 0, lockMs = 0, idleMs = 0 }] of Object.entries(POOL_LIMITS)) {
    const rows = await db.pool(role as Role, 1)<{ name: string; setting: string }[]>`
      select name, setting from pg_settings where name in
        ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')`;
    assert.deepEqual(Object.fromEntries(rows.map(({ name, setting }) => [name, Number(setting)])), {
      statement_timeout: statementMs,
      lock_timeout: lockMs,
      idle_in_transaction_session_timeout: idleMs,
    }, role);
  }
});

Deno.test("a statement, a wait for a lock and an idle transaction that take too long are UNAVAILABLE", async () => {
  await using db = await createDatabase();
  await using slow = limited(db, { statementMs: 100 });
  await assert.rejects(slow.sql`select pg_sleep(60)`, tooMuch);

  await using patient = limited(db, { lockMs: 100 });
  await db.admin.begin(async (tx) => {
    await tx`lock table customers in access exclusive mode`;
    await assert.rejects(patient.sql.begin((tx) => tx`select from customers`), tooMuch);
  });

  await using idle = limited(db, { idleMs: 100 });
  const frozen = idle.sql.begin(async (tx) => {
    await tx`select 1`;
    await eventually(async () => {
      const rows = await db.admin`select from pg_stat_activity
        where datname = current_database() and state = 'idle in transaction'`;
      assert.equal(rows.length, 0);
    });
    await tx`select 1`;
  });
  await assert.rejects(frozen, (error) => asDomainError(error)?.code === "UNAVAILABLE");
  assert.equal((await idle.sql`select 1 as one`)[0]?.one, 1);
});

Deno.test("a transaction waits three seconds for a connection, and the 1,001st is refused at once", async () => {
  await using db = await createDatabase();
  const pool = db.pool("customer_api", 1);
  const [held, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = pool.begin(async (tx) => {
    await tx`select 1`;
    held.resolve();
    await release.promise;
  });
  await held.promise;
  const began = performance.now();
  const waiting = Array.from({ length: 1_000 }, () => pool.begin((tx) => tx`select 1`));
  const ended = Promise.allSettled(waiting);
  await assert.rejects(pool.begin((tx) => tx`select 1`), tooMuch);
  assert.ok(performance.now() - began < 2_500);
  for (const outcome of await ended) assert.ok(outcome.status === "rejected" && tooMuch(outcome.reason));
  const waited = performance.now() - began;
  assert.ok(waited > 2_900 && waited < 8_000, `${waited} ms`);
  release.resolve();
  await holding;
  await pool.begin((tx) => tx`select 1`);
});

Deno.test("transactions get their connection in order of arrival", async () => {
  await using db = await createDatabase();
  const pool = db.pool("customer_api", 1); // of several connections one may be open long before the others
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 50 }, (_, at) =>
      pool.begin(async (tx) => {
        order.push(at);
        await tx`select 1`;
      })),
  );
  assert.deepEqual(order, Array.from({ length: 50 }, (_, at) => at));
});

Deno.test("a host that disappears silently is detected, and its successor is used", async () => {
  await using db = await createDatabase();
  const direct = new URL(db.url);
  const door = startTcpProxy(0, Number(direct.port));
  direct.port = String(door.port);
  const pool = openPool(direct.href, "customer_api", 2, { silenceMs: 500 });
  try {
    await pool.begin((tx) => tx`select 1`);
    await pool`select pg_sleep(0.4)`;
    door.forget();
    const began = performance.now();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, () => pool.begin((tx) => tx`select 1`)),
    );
    assert.equal(asDomainError((outcomes[0] as PromiseRejectedResult).reason)?.code, "UNAVAILABLE");
    await pool.begin((tx) => tx`select 1`);
    assert.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`);
  } finally {
    await pool.end({ timeout: 1 });
    door.close();
  }
});

function tooMuch(error: unknown): boolean {
  return asDomainError(error)?.message === TOO_MUCH;
}

function limited(db: TestDatabase, limits: PoolLimits) {
  const sql = openPool(db.url, "customer_api", 1, limits);
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) };
}
