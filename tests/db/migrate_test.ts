import assert from "node:assert/strict";
import { isCurrent, migrate, MigrationError, migrationNames } from "../../db/migrate.ts";
import { createReadiness } from "../../db/readiness.ts";
import { createDatabase } from "../database.ts";
import { captureLog } from "../captured_log.ts";

Deno.test("twenty migrations that start at once apply each file once", async () => {
  await using database = await createDatabase(false);
  const runs = await Promise.all(Array.from({ length: 20 }, () => migrate(database.url)));
  const applied = runs.flat();
  assert.ok(applied.length > 0);
  assert.equal(new Set(applied).size, applied.length, "no file twice");
  assert.equal(runs.filter((names) => names.length > 0).length, 1, "one run did the work, the others waited");
  const recorded = await database.admin`select name from schema_migrations order by name`;
  assert.deepEqual(recorded.map((row) => row.name), applied);
  assert.equal(await isCurrent(database.pool("customer_api")), true);
});

Deno.test("an empty database is not current", async () => {
  await using database = await createDatabase(false);
  assert.equal(await isCurrent(database.admin), false);
});

Deno.test("a migration that was edited after it was applied is refused by name", async () => {
  await using database = await createDatabase();
  await database.admin`update schema_migrations set hash = 'another' where name = '0001_customers.sql'`;
  await assert.rejects(migrate(database.url), (error: Error) => {
    assert.ok(error instanceof MigrationError);
    assert.match(error.message, /0001_customers\.sql/);
    return true;
  });
});

Deno.test("a version older than the schema starts, serves, and logs the newer migrations", async () => {
  await using database = await createDatabase();
  await using log = await captureLog();
  await database
    .admin`insert into schema_migrations (name, hash) values ('9998_later.sql', 'x'), ('9999_last.sql', 'y')`;
  assert.deepEqual(await migrate(database.url), []);
  assert.equal(await isCurrent(database.pool("customer_api")), true);
  assert.equal(
    await (await createReadiness({
      writer: database.pool("customer_api"),
      reader: database.pool("customer_reader"),
    }))(),
    true,
  );
  assert.match(log.lines.join("\n"), /9998_later\.sql, 9999_last\.sql/);
});

Deno.test("a schema that lacks a migration and has an unknown one is refused with both names, and stays unchanged", async () => {
  await using database = await createDatabase();
  const last = (await migrationNames()).at(-1)!;
  await database.admin`insert into schema_migrations (name, hash) values ('9999_last.sql', 'x')`;
  await database.admin`delete from schema_migrations where name = ${last}`;
  await assert.rejects(migrate(database.url), (error: Error) => {
    assert.ok(error instanceof MigrationError);
    assert.match(error.message, new RegExp(`9999_last\\.sql.* lacks ${last}`));
    return true;
  });
  assert.deepEqual([...await database.admin`select 1 from schema_migrations where name = ${last}`], []);
});

Deno.test("an unknown migration among those of this version is refused by its name", async () => {
  await using database = await createDatabase();
  await database.admin`insert into schema_migrations (name, hash) values ('0001_elsewhere.sql', 'x')`;
  await assert.rejects(migrate(database.url), /0001_elsewhere\.sql/);
});

Deno.test("a login without the owner's role fails with the reason, and applies nothing", async () => {
  await using database = await createDatabase(false);
  const name = `guest_${crypto.randomUUID().slice(0, 8)}`;
  await database.admin.unsafe(`create role ${name} login password 'guest'`);
  try {
    const url = Object.assign(new URL(database.url), { username: name, password: "guest" });
    await assert.rejects(migrate(url.href), (error: Error) => {
      assert.ok(error instanceof MigrationError);
      assert.match(error.message, /not a member of customer_owner/);
      return true;
    });
    assert.equal(await isCurrent(database.admin), false);
  } finally {
    await database.admin.unsafe(`drop role ${name}`);
  }
});
