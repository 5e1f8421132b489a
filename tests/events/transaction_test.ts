import assert from "node:assert/strict";
import { transaction } from "../../db/transaction.ts";
import { createDatabase } from "../database.ts";

Deno.test("a transaction whose connection is lost sends nothing into the next one", async () => {
  await using database = await createDatabase();
  await database.admin`create table steps (name text)`;
  await database.admin`grant all on steps to customer_worker`;
  const sql = database.pool("customer_worker", 1);
  const lost = Promise.withResolvers<void>();
  const other = Promise.withResolvers<void>();
  const late = Promise.withResolvers<unknown>();

  const first = transaction(sql, async (tx) => {
    await tx`insert into steps values ('first')`;
    const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
    await database.admin`select pg_terminate_backend(${row!.pid})`;
    await lost.promise;
    await tx`insert into steps values ('late')`;
  }).catch((error) => late.resolve(error));
  assert.equal((await late.promise as { code: string }).code, "CONNECTION_CLOSED");
  await transaction(sql, async (tx) => {
    await tx`insert into steps values ('second')`;
    lost.resolve();
    setTimeout(other.resolve, 50);
    await other.promise;
    await tx`insert into steps values ('third')`;
  });
  await first;
  const steps = await database.admin<{ name: string }[]>`select name from steps`;
  assert.deepEqual(steps.map(({ name }) => name), ["second", "third"]);
});
