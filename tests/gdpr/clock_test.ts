/** The statutory clock: when a request is due, when that is at risk, and what an extension moves. */
import assert from "node:assert/strict";
import { dueDate, extendedDueDate } from "../../actors/gdpr/requests/clock.ts";
import { createActors } from "../../actors/mod.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { startTimerLoop } from "../../actors/runtime/timer_loop.ts";
import { register, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { type ClockedWorld, createClockedWorld, DAY, fireTimer } from "./clocked.ts";
import { assertFacts } from "./facts.ts";

/** Receipt, due, and due when extended. */
const DATES: [received: string, due: string, extended: string][] = [
  ["2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z", "2026-04-30T10:00:00Z"],
  ["2028-01-31T10:00:00Z", "2028-02-29T10:00:00Z", "2028-04-30T10:00:00Z"],
  ["2028-01-29T00:00:00Z", "2028-02-29T00:00:00Z", "2028-04-29T00:00:00Z"],
  ["2027-01-29T00:00:00Z", "2027-02-28T00:00:00Z", "2027-04-29T00:00:00Z"],
  ["2028-02-29T23:59:59Z", "2028-03-29T23:59:59Z", "2028-05-29T23:59:59Z"],
  ["2027-02-28T12:00:00Z", "2027-03-28T12:00:00Z", "2027-05-28T12:00:00Z"],
  ["2026-03-31T08:00:00Z", "2026-04-30T08:00:00Z", "2026-06-30T08:00:00Z"],
  ["2026-04-30T08:00:00Z", "2026-05-30T08:00:00Z", "2026-07-30T08:00:00Z"],
  ["2026-11-30T08:00:00Z", "2026-12-30T08:00:00Z", "2027-02-28T08:00:00Z"],
  ["2027-11-30T08:00:00Z", "2027-12-30T08:00:00Z", "2028-02-29T08:00:00Z"],
  ["2026-12-31T23:30:00Z", "2027-01-31T23:30:00Z", "2027-03-31T23:30:00Z"],
  ["2100-01-31T00:00:00Z", "2100-02-28T00:00:00Z", "2100-04-30T00:00:00Z"],
  // A change to summer time moves nothing: the clock is in UTC.
  ["2026-03-15T01:30:00Z", "2026-04-15T01:30:00Z", "2026-06-15T01:30:00Z"],
];

Deno.test("a request is due a calendar month after receipt, extended three, on the last day where there is none", () => {
  for (const [received, due, extended] of DATES) {
    assert.deepEqual(dueDate(new Date(received)), new Date(due), received);
    assert.deepEqual(extendedDueDate(new Date(received)), new Date(extended), received);
  }
});

Deno.test("a stored request has its due date from its receipt, and three months from there when it is extended", async () => {
  await using world = await createClockedWorld({ graceMs: 60 * DAY });
  for (const [received, due, extended] of DATES) {
    world.now = new Date(received);
    const request = await open(world);
    assert.deepEqual(await rowOf(world, request, "due_at"), new Date(due));
    world.now = new Date(world.now.getTime() + 3 * DAY);
    await extend(world, request);
    assert.deepEqual(await rowOf(world, request, "due_at"), new Date(extended));
    await assertFacts(world.admin, request);
  }
});

Deno.test("a request is extended once, inside the first month, with a reason", async () => {
  await using world = await createClockedWorld({ graceMs: 60 * DAY }, new Date("2026-01-31T10:00:00Z"));
  const [early, late, lapsed] = [await open(world), await open(world), await open(world)];
  await assert.rejects(tell(world, early, "extend"), { code: "INVALID_INPUT" });
  await extend(world, early);
  await assert.rejects(extend(world, early), { code: "REFUSED_IN_STATE" });
  assert.equal(await rowOf(world, early, "extension_reason"), "many systems");

  world.now = new Date("2026-02-28T09:59:59.999Z");
  await extend(world, late);
  world.now = new Date("2026-02-28T10:00:00Z");
  await assert.rejects(extend(world, lapsed), { code: "REFUSED_IN_STATE" });
  assert.equal(await rowOf(world, lapsed, "extension_reason"), null);
});

Deno.test("a week before it is due a request is at risk, then overdue; both are told, and survive a restart", async () => {
  await using world = await createClockedWorld({ graceMs: 60 * DAY }, new Date("2026-01-31T10:00:00Z"));
  const request = await open(world);

  await restarted(world, "2026-02-21T09:59:59.999Z");
  assert.equal(await clockOf(world, request), "ON_TIME");
  await restarted(world, "2026-02-21T10:00:00Z");
  assert.equal(await clockOf(world, request), "AT_RISK");
  await restarted(world, "2026-02-28T09:59:59.999Z");
  assert.equal(await clockOf(world, request), "AT_RISK");
  await restarted(world, "2026-02-28T10:00:00Z");
  assert.equal(await clockOf(world, request), "OVERDUE");
  assert.deepEqual(await audits(world, request), [
    "GDPR_REQUEST_OPENED",
    "GDPR_REQUEST_AT_RISK",
    "GDPR_REQUEST_OVERDUE",
  ]);
  assert.equal(await rowOf(world, request, "status"), "PENDING", "a late request still takes its course");
  await assertFacts(world.admin, request);
});

Deno.test("behind an outage of weeks a request is overdue, whichever of its timers fires first", async () => {
  await using world = await createClockedWorld({ graceMs: 60 * DAY });
  for (const first of ["clock.at_risk", "clock.overdue"]) {
    const request = await open(world);
    world.now = new Date(world.now.getTime() + 50 * DAY);
    for (const name of [first, "clock.at_risk", "clock.overdue"]) await fireTimer(world, request, name);
    assert.equal(await clockOf(world, request), "OVERDUE", first);
    assert.deepEqual(await timersOf(world, request, "clock.%"), []);
  }
});

Deno.test("an extension moves what is at risk and overdue, also of a request that is at risk already", async () => {
  await using world = await createClockedWorld({ graceMs: 100 * DAY }, new Date("2026-01-31T10:00:00Z"));
  const request = await open(world);
  await restarted(world, "2026-02-25T00:00:00Z");
  assert.equal(await clockOf(world, request), "AT_RISK");
  await extend(world, request);
  assert.equal(await clockOf(world, request), "ON_TIME");
  assert.deepEqual(await timersOf(world, request, "clock.%"), [
    { name: "clock.at_risk", dueAt: new Date("2026-04-23T10:00:00Z") },
    { name: "clock.overdue", dueAt: new Date("2026-04-30T10:00:00Z") },
  ]);
  await restarted(world, "2026-03-01T00:00:00Z");
  assert.equal(await clockOf(world, request), "ON_TIME");
  await restarted(world, "2026-04-23T10:00:00Z");
  assert.equal(await clockOf(world, request), "AT_RISK");
  await restarted(world, "2026-04-30T10:00:00Z");
  assert.equal(await clockOf(world, request), "OVERDUE");
});

Deno.test("the clock goes on while a request is held, and stops when it is completed", async () => {
  await using world = await createClockedWorld({ graceMs: DAY }, new Date("2026-01-31T10:00:00Z"));
  const [held, cancelled] = [await open(world), await open(world)];
  await tell(world, held, "hold", { reason: "a court has asked" });
  await tell(world, cancelled, "cancel");
  assert.deepEqual(await timersOf(world, cancelled, "%"), []);
  await restarted(world, "2026-03-15T00:00:00Z");
  assert.equal(await clockOf(world, held), "OVERDUE");
  assert.equal(await clockOf(world, cancelled), "ON_TIME");
  assert.deepEqual(await audits(world, cancelled), ["GDPR_REQUEST_OPENED", "GDPR_REQUEST_CANCELLED"]);
});

async function open(world: ClockedWorld): Promise<ActorRef> {
  const customer = await register(world);
  const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell(world, ref, "open", { customerId: customer.id, right: "ERASURE" });
  return ref;
}

const extend = (world: ClockedWorld, request: ActorRef) =>
  tell(world, request, "extend", { reason: "many systems" }, { by: world.officer });

/** Another process has begun to work at this moment, with nothing but the database, and has done what was due. */
async function restarted(world: ClockedWorld, moment: string): Promise<void> {
  world.now = new Date(moment);
  const actors = createActors(world.database.pool("customer_api", 1), {
    requests: world.settings,
    clock: world.clock,
  });
  const sql = world.database.pool("customer_worker", 1);
  await using _loop = startTimerLoop({ sql, actors, clock: world.clock, pollMs: 10 });
  await eventually(async () => {
    const due = await world.admin`select name from timers where due_at <= ${world.now}`;
    assert.deepEqual([...due], []);
    const claimed = await world.admin`select name from timers where attempts > 0`;
    assert.deepEqual([...claimed], []);
  });
}

async function rowOf({ admin }: ClockedWorld, { id }: ActorRef, column: string): Promise<unknown> {
  const [row] = await admin`select ${admin(column)} as value from gdpr_requests where request_id = ${id}`;
  return row?.value;
}

async function clockOf(world: ClockedWorld, request: ActorRef): Promise<unknown> {
  return (await rowOf(world, request, "snapshot") as { context: { clock: string } }).context.clock;
}

async function timersOf({ admin }: ClockedWorld, { id }: ActorRef, pattern: string) {
  const rows = await admin`
    select name, due_at from timers where actor_id = ${id} and name like ${pattern} order by name`;
  return rows.map((row) => ({ ...row }));
}

async function audits({ admin }: ClockedWorld, { id }: ActorRef): Promise<string[]> {
  const rows = await admin`
    select payload->>'action' as action from outbox
    where topic = 'audit.event' and payload->'target'->>'id' = ${id} order by seq`;
  return rows.map((row) => row.action);
}
