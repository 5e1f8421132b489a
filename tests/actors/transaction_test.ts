/** Transactions that PostgreSQL aborts for concurrent ones run again; when that does not help, callers may retry. */
import assert from "node:assert/strict";
import { transact } from "../../actors/runtime/transaction.ts";
import type { Tx } from "../../db/connect.ts";
import { asDomainError } from "../../db/errors.ts";
import { settingsOf } from "../../db/store_settings.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import { createDatabase } from "../database.ts";
import { createWorld } from "./world.ts";

const LIMITS = { limitMs: 60_000 };

Deno.test("what a caller reads of its change is read in the transaction of the command", async () => {
  await using world = await createWorld();
  const { storeId, officer, actors } = world;
  const change = (idempotencyKey: string) =>
    actors.sendAndReadWith(
      { kind: "store_settings", storeId, id: storeId },
      { type: "settings.change", erasureGraceHours: 5 },
      { by: officer, traceparent: newTraceparent(), idempotencyKey },
      async (sql, { version }) => {
        const [row] = await sql`select pg_current_xact_id_if_assigned() is not null as writes`;
        return [row?.writes, version, (await settingsOf(sql, storeId)).erasureGraceHours];
      },
    );
  assert.deepEqual((await change("once")).actor, [true, 1, 5]);
  const repeated = await change("once");
  assert.deepEqual([repeated.answer.version, repeated.actor], [1, undefined]);
});

for (const code of ["40001", "40P01"]) {
  Deno.test(`a transaction that ends with ${code} runs again and succeeds`, async () => {
    await using database = await createDatabase();
    let runs = 0;
    const result = await transact(database.pool("customer_api", 1), crypto.randomUUID(), async (tx) => {
      if (++runs < 4) await raise(tx, code);
      return "done";
    }, LIMITS);
    assert.deepEqual([result, runs], ["done", 4]);
  });

  Deno.test(`a transaction that always ends with ${code} is UNAVAILABLE after a bounded number of runs`, async () => {
    await using database = await createDatabase();
    let runs = 0;
    const work = transact(database.pool("customer_api", 1), crypto.randomUUID(), async (tx) => {
      runs++;
      await raise(tx, code);
    }, LIMITS);
    await assert.rejects(work, (error) => asDomainError(error)?.code === "UNAVAILABLE");
    assert.equal(runs, 8);
  });
}

Deno.test("a transaction whose caller has left does not run again", async () => {
  await using database = await createDatabase();
  let runs = 0;
  const work = transact(database.pool("customer_api", 1), crypto.randomUUID(), async (tx) => {
    runs++;
    await raise(tx, "40001");
  }, { ...LIMITS, wanted: () => runs === 0 });
  await assert.rejects(work, (error) => asDomainError(error)?.code === "UNAVAILABLE");
  assert.equal(runs, 1);
});

Deno.test("a migration under a prepared statement is no error of the transaction that uses it", async () => {
  await using database = await createDatabase();
  const pool = database.pool("customer_api", 1);
  await database.admin.unsafe("create table things (id int); grant select on things to customer_api");
  const read = () =>
    transact(
      pool,
      crypto.randomUUID(),
      async (tx) => (await tx`select * from things where id <> ${7}`).columns,
      LIMITS,
    );
  assert.equal((await read()).length, 1);
  await database.admin.unsafe("alter table things add column name text");
  assert.equal((await read()).length, 2);
});

async function raise(tx: Tx, code: string): Promise<void> {
  await tx.unsafe(`do $$ begin raise exception 'refused' using errcode = '${code}'; end $$`);
}
