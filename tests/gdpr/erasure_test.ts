/** Erasure from its opening to its receipt, on real rows. */
import assert from "node:assert/strict";
import { runTask } from "./task.ts";
import { vacuumAfterErasures } from "../../db/vacuum.ts";
import { eventually } from "../eventually.ts";
import { captureLog } from "../captured_log.ts";
import { ADDRESS, createWorld, register, shopper, tell } from "../actors/world.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { createRequestFixture } from "./request_fixture.ts";

const VALUES = [
  "augusta@lovelace.example",
  "Augusta",
  "Lovelace-King",
  "+441234567890",
  "12 St James Square",
];

Deno.test("an erasure clears every personal column, waits for each participant, and writes a receipt", async () => {
  await using world = await createWorld();
  await using log = await captureLog();
  const fixture = createRequestFixture(world);
  const ref = await register(world, {
    email: VALUES[0],
    firstName: VALUES[1],
    lastName: VALUES[2],
    phone: VALUES[3],
  });
  await tell(world, ref, "address.add", { ...ADDRESS, line1: VALUES[4] });

  const request = await fixture.open(ref, "ERASURE", {}, { by: shopper(ref) });
  assert.equal((await fixture.row(request)).status, "PENDING");
  await fixture.work();
  assert.deepEqual((await fixture.row(request)).snapshot.value, {
    IN_PROGRESS: {
      awaiting_confirmations: Object.fromEntries(PARTICIPANTS.map((service) => [service, "asked"])),
    },
  });
  const [customer] = await world.admin`select * from customers where customer_id = ${ref.id}`;
  assert.ok(customer?.anonymizedAt);
  for (const column of ["email", "firstName", "lastName", "phone", "locale"]) {
    assert.equal(customer[column], null);
  }
  const [address] = await world.admin`select * from customer_addresses where customer_id = ${ref.id}`;
  assert.equal(address?.line1, null);

  for (const service of PARTICIPANTS) {
    assert.equal((await fixture.row(request)).status, "IN_PROGRESS", `before ${service} confirms`);
    await fixture.tell(request, "participant.confirm", { service, evidence: "2 rows anonymized" });
    await fixture.work();
  }
  const completed = await fixture.row(request);
  assert.deepEqual([completed.status, completed.outcome], ["COMPLETED", "FULFILLED"]);
  const [receipt] = await world.admin`select document from erasure_receipts where request_id = ${request.id}`;
  assert.equal(receipt?.document.participants.length, 3);
  assert.deepEqual(receipt?.document.cleared.customers, { contact: 2, identity: 2, preference: 0 });
  const events = await world.admin`
    select topic, (payload ->> 'version')::int as version from outbox
    where key = ${ref.id} and topic like 'customer.%' order by seq`;
  assert.ok(events.some((row) => row.topic === "customer.erasure_requested"));
  assert.equal(events.filter((row) => row.topic === "customer.erased").length, 1);
  const versions = events.map((row) => row.version);
  assert.deepEqual(versions, versions.toSorted((a, b) => a - b), "versions are in the order of the events");
  const [{ version }] = await world.admin`select version from customers where customer_id = ${ref.id}` as [
    { version: number },
  ];
  assert.equal(versions.at(-1), version);
  await assertNoTableContains(world.admin, VALUES);
  for (const value of VALUES) assert.ok(!log.lines.join("\n").includes(value), `${value} in the log`);
});

Deno.test("a verified erasure requests one vacuum of the tables that it cleared", async () => {
  await using world = await createWorld();
  const fixture = createRequestFixture(world);
  const worker = world.database.pool("customer_worker", 1);
  const ref = await register(world);
  assert.equal(await vacuumAfterErasures(worker), false);
  const snapshot = await world.admin.reserve();
  using _released = { [Symbol.dispose]: () => snapshot.release() };
  await snapshot`begin isolation level repeatable read`;
  await snapshot`select count(*) from customers`;
  const request = await fixture.open(ref, "ERASURE");
  await fixture.work();
  // Already before the participants confirm, and again while an older snapshot keeps the dead rows.
  for (let attempt = 0; attempt < 3; attempt++) assert.equal(await vacuumAfterErasures(worker), true);
  await snapshot`commit`;
  await eventually(async () => assert.equal(await vacuumAfterErasures(worker), false));
  const [left] = await world.admin`
    select sum(n_dead_tup)::int as dead from pg_stat_user_tables where relname in ('customers', 'actor_events')`;
  assert.equal(left?.dead, 0);
  for (const service of PARTICIPANTS) await fixture.tell(request, "participant.confirm", { service });
  await fixture.work();
  assert.equal(await vacuumAfterErasures(worker), true);
  await eventually(async () => {
    const [row] = await world.admin`
      select count(last_vacuum)::int as count from pg_stat_user_tables
      where relname in ('customers', 'customer_addresses', 'actor_events', 'gdpr_requests', 'gdpr_participants')`;
    assert.equal(row?.count, 5);
  });
  await eventually(async () => assert.equal(await vacuumAfterErasures(worker), false));
});

Deno.test("a scrub writes the indexes and, if asked, the tables again", async () => {
  await using world = await createWorld();
  const indexFile = async () => {
    const [row] = await world.admin`select pg_relation_filenode('customers_email') as node`;
    return row?.node;
  };
  const before = await indexFile();
  const folder = await Deno.makeTempDir({ prefix: "customer-service-scrub-" });
  try {
    const env = { DATABASE_URL: world.database.url, DATA_DIR: folder };
    for (const options of [[], ["--full"]]) {
      const { code, stdout, stderr } = await runTask("erasure", ["scrub", ...options], env);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /customers: building its indexes\n[^]*actor_events[^]*\nDone\./);
    }
    assert.notEqual(await indexFile(), before, "the index has a new file");
    const refused = await runTask("erasure", ["scrub", "--everything"], env);
    assert.deepEqual([refused.code, refused.stdout], [1, ""]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Searches every column of every table. */
async function assertNoTableContains(
  sql: import("../../db/connect.ts").Sql,
  values: readonly string[],
): Promise<void> {
  const tables =
    await sql`select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`;
  for (const { relname } of tables) {
    const rows = await sql.unsafe(`select t::text as text from ${relname} t`);
    for (const { text } of rows) {
      for (const value of values) assert.ok(!text.includes(value), `${value} in ${relname}`);
    }
  }
}
