import assert from "node:assert/strict";
import postgres from "postgres";
import { asDomainError, isUnavailable, unavailability, violatedConstraint } from "../../db/errors.ts";
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

Deno.test("the constraint that a Citus worker names in its message is known without the number of the shard", () => {
  const message = 'duplicate key value violates unique constraint "customers_email_102021"';
  const error = Object.assign(Object.create(postgres.PostgresError.prototype), { code: "23505", message });
  assert.equal(violatedConstraint(error), "customers_email");
  assert.equal(violatedConstraint(Object.assign(error, { constraint_name: "email_2" })), "email_2");
});

/**
 * Error codes of PostgreSQL 18's Appendix A that the state of the server, the network or other sessions can cause
 * without a defect of this service.
 */
const OF_THE_OUTSIDE = {
  "cannot be reached": [
    ...["08000", "08003", "08006", "08001", "08004", "08007", "08P01"],
    ...["40003", "53300", "57000", "57P01", "57P02", "57P03", "57P04", "57P05", "58000", "58030"],
  ],
  "accepts no changes at the moment": ["25006"],
  "has no resources left": ["53000", "53100", "53200", "53400"],
  "has too much to do": ["25P03", "25P04", "40000", "40001", "40P01", "55006", "55P03", "57014"],
};

/** Codes that a defect of this service or of its data causes, some from each class with a neighbor in the table. */
const DEFECTS = [
  ...["00000", "01000", "02000", "09000", "0A000", "21000", "22001", "22003", "22021", "22P02", "22P05"],
  ...[
    "23502",
    "23503",
    "23505",
    "23514",
    "25001",
    "25P01",
    "25P02",
    "26000",
    "28000",
    "28P01",
    "34000",
    "3D000",
  ],
  ...[
    "3F000",
    "40002",
    "42501",
    "42601",
    "42703",
    "42883",
    "42P01",
    "44000",
    "54000",
    "54001",
    "55000",
    "55P02",
  ],
  ...["55P04", "58P01", "58P02", "P0001", "XX000", "XX001", "XX002"],
];

Deno.test("each code that comes from outside is UNAVAILABLE with its reason, and no other code is", () => {
  for (const [reason, codes] of Object.entries(OF_THE_OUTSIDE)) {
    for (const code of codes) {
      const error = refusal(code, "ERROR");
      assert.equal(unavailability(error), reason, code);
      const { code: answer, message } = asDomainError(error)!;
      assert.deepEqual([answer, message], ["UNAVAILABLE", `The database ${reason}: try again`], code);
    }
  }
  for (const code of DEFECTS) assert.equal(asDomainError(refusal(code, "ERROR")), undefined, code);
});

Deno.test("an error that ends the session is UNAVAILABLE, whatever its code", () => {
  for (const code of ["28000", "28P01", "3D000", "42501", "XX000"]) {
    for (const severity of ["FATAL", "PANIC"]) {
      assert.equal(unavailability(refusal(code, severity)), "cannot be reached", code);
    }
  }
});

Deno.test("an error that is not of PostgreSQL has no SQLSTATE class", () => {
  assert.equal(unavailability(Object.assign(new Error("another library's"), { code: "08999" })), undefined);
  assert.equal(unavailability(Object.assign(new Error("another library's"), { code: "57XXX" })), undefined);
  assert.equal(unavailability("08006"), undefined);
});

Deno.test("a changed password after the start is an outage, not a defect", async () => {
  await using database = await createDatabase();
  const wrong = Object.assign(new URL(database.url), { password: "another" }).href;
  const pool = openPool(wrong, "customer_api", 1);
  await assert.rejects(pool`select 1`, (error) => asDomainError(error)?.code === "UNAVAILABLE");
  await pool.end({ timeout: 0 });
});

function refusal(code: string, severity: string): Error {
  const fields = {
    code,
    severity,
    severity_local: severity,
    message: "refused",
    routine: "exec_simple_query",
  };
  return new (postgres.PostgresError as unknown as new (fields: object) => Error)(fields);
}
