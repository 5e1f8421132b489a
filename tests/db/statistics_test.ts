/** Statistics of growing tables: they exist soon after the first rows, so that no session keeps plans for empty tables. */
import assert from "node:assert/strict";
import { createAnalyzer } from "../../db/statistics.ts";
import { createDatabase } from "../database.ts";
import { eventually } from "../eventually.ts";

Deno.test("a table that has grown tenfold is analyzed after the 300th stored row, and by no other role", async () => {
  await using database = await createDatabase();
  const { admin } = database;
  const insertCustomers = (count: number) =>
    admin`
      insert into customers (store_id, customer_id, email, status, version, created_at, updated_at)
      select gen_random_uuid(), gen_random_uuid(), n || '@example.com', 'ACTIVE', 1, now(), now()
      from generate_series(1, ${count}::int) n`;
  const countAnalyzed = async () => {
    const [row] = await admin`select reltuples::int as rows from pg_class where oid = 'customers'::regclass`;
    return row?.rows;
  };
  const api = database.pool("customer_api", 1);
  const countRows = createAnalyzer(api);
  await insertCustomers(500);
  countRows(299);
  await api`select 1`; // the pool has one connection, so that an analysis would have ended
  assert.equal(await countAnalyzed(), -1);
  countRows(1);
  await api`select 1`;
  assert.equal(await countAnalyzed(), 500);

  await insertCustomers(500);
  await api`select analyze_grown_tables()`;
  assert.equal(await countAnalyzed(), 500, "it has not grown enough");
  await insertCustomers(9_000);
  countRows(2_700);
  await eventually(async () => assert.equal(await countAnalyzed(), 10_000), 10_000);
  await assert.rejects(database.pool("customer_reader", 1)`select analyze_grown_tables()`, { code: "42501" });
});
