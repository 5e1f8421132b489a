/** Batching of lookups: those of one tick run as one prepared statement. */
import assert from "node:assert/strict";
import { asDomainError } from "../../db/errors.ts";
import type { Sql } from "../../db/connect.ts";
import { createLookups, type CustomerGroups } from "../../db/lookups.ts";
import { createDatabase, type TestDatabase } from "../database.ts";
import { arrangeCustomer, arrangeMany } from "./arrange.ts";
import { asked, type Outcome } from "./client.ts";
import { serveLookups } from "./serve.ts";

Deno.test("lookups of one tick become one statement, across stores", async () => {
  await using db = await createDatabase();
  await countFunctions(db);
  const people = await arrangeMany(db.admin, 100);
  assert.equal(new Set(people.map(({ storeId }) => storeId)).size, 5);
  const sql = db.pool("customer_reader", 1);
  const lookups = createLookups(sql);
  const [groups, customers] = await Promise.all([
    Promise.all(people.map((key) => lookups.findCustomerGroups(key))),
    Promise.all(people.map((key) => lookups.findCustomer(key))),
  ]);
  assert.deepEqual(
    groups.map((found) => found?.memberships[0]?.name),
    people.map(({ customerId }) => customerId),
  );
  assert.deepEqual(customers.map((found) => found?.customerId), people.map(({ customerId }) => customerId));
  assert.deepEqual(await functionCalls(db, sql), { lookup_customer_groups: 1, lookup_customers: 1 });
});

Deno.test("lookups that arrive while two statements run share the next one", async () => {
  await using db = await createDatabase();
  await countFunctions(db);
  const people = await arrangeMany(db.admin, 60);
  const sql = db.pool("customer_reader", 4);
  const lookups = createLookups(sql);
  const answers: Promise<CustomerGroups | undefined>[] = [];
  await db.admin.begin(async (tx) => {
    await tx`lock table customers in access exclusive mode`;
    for (const key of people) {
      answers.push(lookups.findCustomerGroups(key));
      await new Promise((resolve) => setImmediate(resolve)); // each lookup in a separate tick
    }
    await waiting(db, 2);
  });
  const names = (await Promise.all(answers)).map((found) => found?.memberships[0]?.name);
  assert.deepEqual(names, people.map(({ customerId }) => customerId));
  assert.deepEqual(await functionCalls(db, sql), { lookup_customer_groups: 3 });
});

Deno.test("calls that arrive together over gRPC share statements", async () => {
  await using db = await createDatabase();
  await countFunctions(db);
  const people = await arrangeMany(db.admin, 200);
  await using server = await serveLookups(db);
  const outcomes = await Promise.all(people.map((key) => server.client.groups(asked(key))));
  assert.deepEqual(
    outcomes.map(({ response }) => response.memberships[0].name),
    people.map(({ customerId }) => customerId),
  );
  const { lookup_customer_groups: calls } = await functionCalls(db, server.sql);
  assert.ok(calls! <= 50, `${calls} statements for 200 calls`);
});

Deno.test("a call that is canceled or past its deadline before its turn costs no statement", async () => {
  await using db = await createDatabase();
  await countFunctions(db);
  const people = await arrangeMany(db.admin, 4);
  await using server = await serveLookups(db);
  const ask = (at: number, options = {}) => server.client.groups(asked(people[at]!), options);
  const underWay: Promise<Outcome>[] = [];
  await db.admin.begin(async (tx) => {
    await tx`lock table customers in access exclusive mode`;
    for (const at of [0, 1]) {
      underWay.push(ask(at));
      await waiting(db, at + 1);
    }
    const leaving = new AbortController();
    const [canceled, late] = [ask(2, { signal: leaving.signal }), ask(3, { withinMs: 200 })];
    assert.equal((await late).status, "DEADLINE_EXCEEDED");
    leaving.abort();
    assert.equal((await canceled).status, "CANCELLED");
    await server.client.health(); // on the same connection: earlier calls have arrived
  });
  assert.deepEqual((await Promise.all(underWay)).map(({ status }) => status), ["OK", "OK"]);
  assert.deepEqual(await functionCalls(db, server.sql), { lookup_customer_groups: 2 });
});

Deno.test("lookups whose callers have gone are left out of the statement", async () => {
  await using db = await createDatabase();
  const people = await arrangeMany(db.admin, 6);
  const lookups = createLookups(db.pool("customer_reader", 1));
  const answers = await Promise.allSettled(
    people.map((key, at) => lookups.findCustomerGroups(key, () => at % 2 === 0)),
  );
  assert.deepEqual(
    answers.map((answer) =>
      answer.status === "fulfilled" ? answer.value?.memberships[0]?.name : asDomainError(answer.reason)?.code
    ),
    people.map(({ customerId }, at) => at % 2 === 0 ? customerId : "UNAVAILABLE"),
  );
});

Deno.test("at most ten thousand lookups of a kind wait, and the next one is refused at once", async () => {
  await using db = await createDatabase();
  const [key] = await arrangeMany(db.admin, 1);
  const lookups = createLookups(db.pool("customer_reader", 2));
  const waiting = Array.from({ length: 10_000 }, () => lookups.findCustomerGroups(key!));
  await assert.rejects(
    lookups.findCustomerGroups(key!),
    (error) => asDomainError(error)?.message === "The database has too much to do: try again",
  );
  assert.equal((await Promise.all(waiting)).filter((found) => found).length, 10_000);
});

Deno.test("the statement is prepared once and then reused, for any number of IDs", async () => {
  await using db = await createDatabase();
  const people = await arrangeMany(db.admin, 20);
  const sql = db.pool("customer_reader", 1);
  const lookups = createLookups(sql);
  for (const count of [1, 20, 3, 7, 1]) {
    await Promise.all(people.slice(0, count).map((key) => lookups.findCustomerGroups(key)));
  }
  const prepared = await sql<{ statement: string; runs: number }[]>`
    select statement, (generic_plans + custom_plans)::int as runs from pg_prepared_statements
    where statement like '%lookup_customer_groups%' and statement not like '%pg_prepared%'`;
  assert.deepEqual(prepared.map(({ runs }) => runs), [5]);
});

Deno.test("each of 5,000 lookups at once gets its own customer's answer", async () => {
  await using db = await createDatabase();
  const people = await arrangeMany(db.admin, 1_000);
  const lookups = createLookups(db.pool("customer_reader", 3));
  const strangers = new Set<string>();
  const questions = Array.from({ length: 5_000 }, () => {
    const { storeId, customerId } = people[Math.floor(Math.random() * people.length)]!;
    const known = Math.random() < 0.9;
    const key = { storeId, customerId: known ? customerId : crypto.randomUUID() };
    if (!known) strangers.add(key.customerId);
    return key;
  });
  const answers = await Promise.all(questions.map(async (key, at) => {
    if (at % 7 === 0) await Promise.resolve(); // not all of them in the same turn
    if (at % 2 === 0) return (await lookups.findCustomerGroups(key))?.memberships.map(({ name }) => name);
    return (await lookups.findCustomer(key))?.groups.map(({ name }) => name);
  }));
  assert.deepEqual(
    answers,
    questions.map(({ customerId }) => strangers.has(customerId) ? undefined : [customerId]),
  );
});

Deno.test("both lookups return the same groups in the same order", async () => {
  await using db = await createDatabase();
  const groups = Array.from({ length: 40 }, (_, n) => ({
    priority: n % 4,
    assignedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, 0, n % 3)),
    deleted: n % 5 === 0,
  }));
  const customer = await arrangeCustomer(db.admin, { groups });
  const lookups = createLookups(db.pool("customer_reader"));
  const [brief, whole] = await Promise.all([
    lookups.findCustomerGroups(customer),
    lookups.findCustomer(customer),
  ]);
  assert.equal(brief?.memberships.length, 32);
  assert.deepEqual(brief?.memberships, whole?.groups);
});

/** Makes PostgreSQL count the functions that new connections call; each lookup statement calls one. */
async function countFunctions(db: TestDatabase): Promise<void> {
  const [{ name }] = await db.admin`select current_database() as name` as unknown as [{ name: string }];
  await db.admin.unsafe(`alter database ${name} set track_functions = 'all'`);
}

/**
 * Returns how often each lookup function has run; counts reach the view once their connection has reported
 * them.
 */
async function functionCalls(db: TestDatabase, sql: Sql): Promise<Record<string, number>> {
  await Promise.all(
    Array.from({ length: sql.options.max }, () => sql`select pg_stat_force_next_flush(), pg_sleep(0.1)`),
  );
  const rows = await db.admin<{ name: string; calls: number }[]>`
    select funcname as name, calls::int from pg_stat_user_functions where funcname like 'lookup_%'`;
  return Object.fromEntries(rows.map(({ name, calls }) => [name, calls]));
}

/** Waits until a number of statements wait for a lock. */
async function waiting(db: TestDatabase, statements: number): Promise<void> {
  const limit = Date.now() + 2_000;
  while (Date.now() < limit) {
    const [found] = await db.admin<{ count: number }[]>`
      select count(*)::int from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    if (found?.count === statements) return;
  }
  assert.fail(`${statements} statements never waited at once`);
}
