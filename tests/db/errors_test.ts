import assert from "node:assert/strict";
import { asDomainError, isUnavailable } from "../../db/errors.ts";
import { openPool } from "../../db/connect.ts";
import { createDatabase } from "../database.ts";

Deno.test("a database with an unknown host or a closed port is UNAVAILABLE", async () => {
  using unused = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = unused.addr;
  unused.close();
  for (const host of ["no-such-host.invalid:5432", `127.0.0.1:${port}`]) {
    const pool = openPool(`postgres://unknown:nothing@${host}/none`, "customer_api", 1);
    await assert.rejects(pool`select 1`, (error) => asDomainError(error)?.code === "UNAVAILABLE");
    await pool.end({ timeout: 0 });
  }
});

Deno.test("a database without a free connection is unavailable, one that refuses a statement is not", async () => {
  await using database = await createDatabase();
  await database.admin.unsafe(
    `do $$ begin execute format('alter database %I connection limit 0', current_database()); end $$`,
  );
  const pool = database.pool("customer_api", 1);
  await assert.rejects(pool`select 1`, (error) => isUnavailable(error));
  await assert.rejects(database.admin`select from nothing`, (error) => !isUnavailable(error));
});
