/** Bulk upsert in batches: rows share statements and not their fates. */
import assert from "node:assert/strict";
import { requestSettings } from "../actors/settings.ts";
import { createWorld, register, tell, type World } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { rememberErasure } from "../gdpr/remembered_erasure.ts";
import { type BulkServer, type Line, serveBulk } from "./bulk.ts";

const jsonRows = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

async function upload(
  server: BulkServer,
  as: World["system"],
  rows: readonly object[],
  idempotencyKey?: string,
): Promise<Line[]> {
  const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
  using call = await server.open(as, jsonRows(rows), headers);
  await call.finish();
  return await call.rest();
}

const newRows = (count: number, name = "row") =>
  Array.from({ length: count }, (_, at) => ({ email: `${name}${at}@example.com`, firstName: "Ada" }));

/** Result of a line, with the version or the error code. */
const outcome = ({ result, version, error }: Line) => `${result} ${error?.code ?? version}`;

/** Number of transactions that wrote the rows of a table, which share nothing else. */
async function countTransactions({ admin }: World, table: string): Promise<number> {
  const [row] = await admin`select count(distinct xmin::text)::int as count from ${admin(table)}`;
  return row?.count;
}

/** Asserts that each event has its message, and that versions and sequences have no gaps. */
async function assertConsistent({ admin }: World): Promise<void> {
  const [row] = await admin`
    select
      (select count(*)::int from outbox where topic in ('customer.created', 'customer.updated')) as messages,
      (select count(*)::int from actor_events where event_type <> 'erase') as events,
      (select count(*)::int from actor_events) - (select sum(version)::int from customers) as missing,
      (select count(*)::int from (
        select from actor_events group by actor_id having max(sequence) <> count(*)) gaps) as gaps`;
  assert.equal(row?.messages, row?.events);
  assert.deepEqual([row?.missing, row?.gaps], [0, 0]);
}

Deno.test("rows are stored by the hundred: registered, changed by email, changed by ID, and repeated", async () => {
  await using world = await createWorld();
  await using server = await serveBulk(world);
  const rows = newRows(1_000);
  const first = await upload(server, world.system, rows, "first");
  assert.ok(first.every((line, at) => line.row === at + 1 && outcome(line) === "CREATED 1"));
  for (const table of ["customers", "actor_events", "outbox", "idempotency_keys"]) {
    const transactions = await countTransactions(world, table);
    assert.ok(transactions <= 50, `${table}: ${transactions} transactions for 1,000 rows`);
  }
  assert.deepEqual(await upload(server, world.system, rows, "first"), first);

  const byEmail = rows.map(({ email }, at) => ({ email: email.toUpperCase(), lastName: `King ${at}` }));
  assert.deepEqual(
    [...new Set((await upload(server, world.system, byEmail)).map(outcome))],
    ["UPDATED 2"],
  );
  const byId = first.map(({ customerId }, at) => ({ customerId, email: `moved${at}@example.com` }));
  assert.deepEqual([...new Set((await upload(server, world.system, byId)).map(outcome))], ["UPDATED 3"]);
  const again = await upload(server, world.system, byId);
  assert.deepEqual([...new Set(again.map(outcome))], ["UNCHANGED 3"]);
  const transactions = await countTransactions(world, "customers");
  assert.ok(transactions <= 50, `${transactions} transactions for 1,000 changes`);
  await assertConsistent(world);
});

Deno.test("a row that is refused takes no other row of its hundred with it", async () => {
  const requests = await requestSettings();
  await using world = await createWorld({ requests });
  await using server = await serveBulk(world);
  const owner = await register(world, { email: "owner@example.com" });
  const other = await register(world, { email: "other@example.com" });
  const erased = await register(world, { email: "erased@example.com" });
  await rememberErasure(world.admin, erased, await requests.hashEmail("erased@example.com"));
  await tell(world, erased, "erase", { requestId: crypto.randomUUID() });
  const customerId = crypto.randomUUID();
  const special: [row: object, outcome: string][] = [
    [{ email: "twice@example.com", lastName: "One" }, "CREATED 1"],
    [{ email: "no address" }, "REFUSED INVALID_INPUT"],
    [{ email: "TWICE@example.com", lastName: "Two" }, "UPDATED 2"],
    [{ customerId: other.id, email: "Owner@example.com" }, "REFUSED ALREADY_EXISTS"],
    [{ customerId: other.id, email: "free@example.com" }, "UPDATED 2"],
    [{ email: "free@example.com", lastName: "Other" }, "UPDATED 3"],
    [{ email: "erased@example.com" }, "REFUSED REFUSED_IN_STATE"],
    [{ customerId: erased.id, email: "back@example.com" }, "REFUSED REFUSED_IN_STATE"],
    [{ customerId: crypto.randomUUID(), lastName: "Unknown" }, "REFUSED NOT_FOUND"],
    [{ customerId, email: "chosen@example.com" }, "CREATED 1"],
    [{ customerId, email: "chosen@example.com" }, "UNCHANGED 1"],
    [{ customerId: crypto.randomUUID(), email: "chosen@example.com" }, "REFUSED ALREADY_EXISTS"],
    [{ customerId, email: "left@example.com" }, "UPDATED 2"],
    [{ customerId: crypto.randomUUID(), email: "chosen@example.com" }, "CREATED 1"],
    [{ email: "erased@example.com", returning: true }, "CREATED 1"],
    [{ customerId: owner.id, email: "owner@example.com" }, "UNCHANGED 1"],
  ];
  const fillers = newRows(84);
  const file = fillers.flatMap((filler, at) => [filler, ...(special[at] ? [special[at][0]] : [])]);
  const lines = await upload(server, world.system, file, "mixed");
  const outcomes = fillers.flatMap((_, at) => ["CREATED 1", ...(special[at] ? [special[at][1]] : [])]);
  assert.deepEqual(lines.map(outcome), outcomes);
  await assertConsistent(world);
  const [keys] = await world.admin`select count(*)::int as count from idempotency_keys`;
  const used = outcomes.filter((outcome) => !outcome.startsWith("REFUSED")).length;
  assert.equal(keys?.count, used, "a refused row does not use its key");
  // A refused row may be applied when the file is sent again.
  const again = await upload(server, world.system, file, "mixed");
  const accepted = lines.filter(({ result }) => result !== "REFUSED");
  assert.deepEqual(accepted.map(({ row }) => again[row - 1]), accepted);
  await assertConsistent(world);
});

Deno.test("files with the same customers in opposite order are both applied", async () => {
  await using world = await createWorld();
  await using server = await serveBulk(world);
  const rows = newRows(300);
  const ids = rows.map((row) => ({ customerId: crypto.randomUUID(), ...row, email: `id-${row.email}` }));
  const file = [...rows, ...ids];
  const uploads = await Promise.all([
    upload(server, world.system, file),
    upload(server, world.system, file.toReversed()),
    upload(server, world.system, file.map((row) => ({ ...row, lastName: "King" }))),
  ]);
  const refused = uploads.flat().filter(({ result }) => result === "REFUSED");
  assert.deepEqual(refused, []);
  const created = uploads.flat().filter(({ result }) => result === "CREATED");
  assert.equal(created.length, file.length);
  await assertConsistent(world);
});

Deno.test("a customer who is erased while the hundred is stored is not registered again", async () => {
  const requests = await requestSettings();
  await using world = await createWorld({ requests });
  await using server = await serveBulk(world);
  const subject = await register(world, { email: "subject@example.com" });
  const erasing = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const erasure = world.admin.begin(async (tx) => {
    await tx`update customers set email = null, anonymized_at = now(), status = 'CLOSED', version = version + 1
      where customer_id = ${subject.id}`;
    await rememberErasure(tx, subject, await requests.hashEmail("subject@example.com"));
    started.resolve();
    await erasing.promise;
  });
  await started.promise;
  const customerId = crypto.randomUUID();
  const rows = [...newRows(40), { customerId, email: "subject@example.com" }, ...newRows(40, "later")];
  const uploading = upload(server, world.system, rows);
  await eventually(async () => {
    const [row] = await world.admin`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    assert.ok(row?.count > 0, "the import waits for the erasure");
  });
  erasing.resolve();
  await erasure;
  const lines = await uploading;
  const refused = lines.filter(({ result }) => result !== "CREATED");
  assert.deepEqual(refused.map(({ row, error }) => [row, error.code]), [[41, "REFUSED_IN_STATE"]]);
  assert.equal(lines.length, 81);
  const [left] = await world.admin`
    select (select count(*)::int from customers where email = 'subject@example.com') as customers,
      (select count(*)::int from actor_events where actor_id = ${customerId}) as events,
      (select count(*)::int from outbox where key = ${customerId}) as messages`;
  assert.deepEqual({ ...left }, { customers: 0, events: 0, messages: 0 });
});
