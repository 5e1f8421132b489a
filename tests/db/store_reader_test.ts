/** Reader of a store: edges read with it and cannot write. */
import assert from "node:assert/strict";
import { storeCommit } from "../../db/commits.ts";
import { forgetTraces } from "../../db/gdpr_requests.ts";
import { deleteMemberships, findMembers } from "../../db/customer_group_memberships.ts";
import { createStoreReader, type ReadSql, readStore } from "../../db/store_reader.ts";
import { writeStore } from "../../db/connect.ts";
import { createWorld, customerRef, register } from "../actors/world.ts";

const READ_ONLY = { message: "A read-only transaction has attempted a write" };

Deno.test("PostgreSQL refuses every write of a reader, and the reader sees its own store alone", async () => {
  await using world = await createWorld();
  const { id } = await register(world, { firstName: "Grace" });
  const reader = createStoreReader(world.database.pool("customer_api", 1));
  const nameIn = (storeId: string) =>
    reader.read(storeId, (sql) => sql`select first_name from customers where customer_id = ${id}`);
  assert.deepEqual((await nameIn(world.storeId)).map((row) => row.firstName), ["Grace"]);
  assert.deepEqual([...await nameIn(crypto.randomUUID())], []);

  for (
    const write of [
      (sql: ReadSql) => sql`update customers set first_name = 'x' where customer_id = ${id}`,
      (sql: ReadSql) => sql`delete from customer_addresses where customer_id = ${id}`,
      (sql: ReadSql) => sql`insert into ended_sessions values (${world.storeId}, 'x', now())`,
      (sql: ReadSql) => sql`select 1 from customers where customer_id = ${id} for update`,
    ]
  ) {
    await assert.rejects(reader.read(world.storeId, write), READ_ONLY);
  }
  assert.deepEqual((await nameIn(world.storeId)).map((row) => row.firstName), ["Grace"]);
});

Deno.test("all queries of a reader see the same snapshot", async () => {
  await using world = await createWorld();
  const { id } = await register(world, { firstName: "Grace" });
  const pool = world.database.pool("customer_api", 2);
  const names = await readStore(pool, world.storeId, async (sql) => {
    const read = async () => (await sql`select first_name from customers where customer_id = ${id}`)[0];
    const before = await read();
    await writeStore(
      pool,
      world.storeId,
      (tx) => tx`update customers set first_name = 'Ada' where customer_id = ${id}`,
    );
    return [before, await read()].map((row) => row?.firstName);
  });
  assert.deepEqual(names, ["Grace", "Grace"]);
});

Deno.test("a function that writes does not compile with what a reader gives", async () => {
  await using world = await createWorld();
  const { storeId } = world;
  const { id } = customerRef(world);
  const reader = createStoreReader(world.database.pool("customer_api", 1));
  const inReader = (work: (sql: ReadSql) => Promise<unknown>) => reader.read(storeId, work);
  assert.deepEqual(await inReader((sql) => findMembers(sql, storeId, id, 1)), []);
  // Each of these is an error of the type checker; PostgreSQL and the driver refuse them as well.
  // @ts-expect-error -- a ReadSql is no Tx
  await assert.rejects(inReader((sql) => forgetTraces(sql, storeId, id)), READ_ONLY);
  // @ts-expect-error -- a ReadSql is no Tx
  await assert.rejects(inReader((sql) => deleteMemberships(sql, storeId, id)), READ_ONLY);
  const commit = { storeId, endedMembership: { customerId: id, groupId: id } };
  // @ts-expect-error -- a ReadSql is no Tx
  await assert.rejects(inReader((sql) => storeCommit(sql, commit)), READ_ONLY);
  const nothing = () => Promise.resolve();
  // @ts-expect-error -- a ReadSql is no pool
  await assert.rejects(inReader((sql) => writeStore(sql, storeId, nothing)));
  // @ts-expect-error -- a ReadSql cannot run text
  await assert.rejects(inReader((sql) => sql.unsafe("delete from customers")), READ_ONLY);
  // @ts-expect-error -- a ReadSql cannot begin a transaction
  await assert.rejects(inReader((sql) => sql.begin((tx) => tx`select 1`)));
});
