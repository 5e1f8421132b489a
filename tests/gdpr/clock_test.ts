/** Statutory clock of a request: due date, the warning before it, and extensions. */
import assert from "node:assert/strict";
import { dueDate, extendedDueDate } from "../../actors/gdpr/requests/clock.ts";
import { createActors } from "../../actors/mod.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { startTimerLoop } from "../../actors/runtime/timer_loop.ts";
import { register, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { createManualClockWorld, DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";
import { assertInvariants } from "./invariants.ts";

/** Date of receipt, due date, and due date after an extension. */
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

Deno.test("a request is due one calendar month after receipt, three if extended, or on the last day of a shorter month", () => {
  for (const [received, due, extended] of DATES) {
    assert.deepEqual(dueDate(new Date(received)), new Date(due), received);
    assert.deepEqual(extendedDueDate(new Date(received)), new Date(extended), received);
  }
});

Deno.test("a stored request is due one month after its receipt, and three months after it when extended", async () => {
  await using world = await createManualClockWorld({ graceMs: 60 * DAY });
  for (const [received, due, extended] of DATES) {
    world.now = new Date(received);
    const request = await openErasure(world);
    assert.deepEqual(await rowOf(world, request, "due_at"), new Date(due));
    world.now = new Date(world.now.getTime() + 3 * DAY);
    await extend(world, request);
    assert.deepEqual(await rowOf(world, request, "due_at"), new Date(extended));
    await assertInvariants(world.admin, request);
  }
});

Deno.test("a request can be extended once, within the first month, with a reason", async () => {
  await using world = await createManualClockWorld({ graceMs: 60 * DAY }, new Date("2026-01-31T10:00:00Z"));
  const [early, late, lapsed] = [
    await openErasure(world),
    await openErasure(world),
    await openErasure(world),
  ];
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

Deno.test("a request is at risk one week before its due date, then overdue; both are audited and survive a restart", async () => {
  await using world = await createManualClockWorld({ graceMs: 60 * DAY }, new Date("2026-01-31T10:00:00Z"));
  const request = await openErasure(world);

  await restart(world, "2026-02-21T09:59:59.999Z");
  assert.equal(await deadlineStateOf(world, request), "ON_TIME");
  await restart(world, "2026-02-21T10:00:00Z");
  assert.equal(await deadlineStateOf(world, request), "AT_RISK");
  await restart(world, "2026-02-28T09:59:59.999Z");
  assert.equal(await deadlineStateOf(world, request), "AT_RISK");
  await restart(world, "2026-02-28T10:00:00Z");
  assert.equal(await deadlineStateOf(world, request), "OVERDUE");
  assert.deepEqual(await audits(world, request), [
    "GDPR_REQUEST_OPENED",
    "GDPR_REQUEST_AT_RISK",
    "GDPR_REQUEST_OVERDUE",
  ]);
  assert.equal(await rowOf(world, request, "status"), "PENDING", "an overdue request is still processed");
  await assertInvariants(world.admin, request);
});

Deno.test("after an outage of weeks a request is overdue, whichever of its timers fires first", async () => {
  await using world = await createManualClockWorld({ graceMs: 60 * DAY });
  for (const first of ["clock.at_risk", "clock.overdue"]) {
    const request = await openErasure(world);
    world.now = new Date(world.now.getTime() + 50 * DAY);
    for (const name of [first, "clock.at_risk", "clock.overdue"]) await fireTimer(world, request, name);
    assert.equal(await deadlineStateOf(world, request), "OVERDUE", first);
    assert.deepEqual(await timersOf(world, request, "clock.%"), []);
  }
});

Deno.test("an extension moves both timers of the clock, even if the request is already at risk", async () => {
  await using world = await createManualClockWorld({ graceMs: 100 * DAY }, new Date("2026-01-31T10:00:00Z"));
  const request = await openErasure(world);
  await restart(world, "2026-02-25T00:00:00Z");
  assert.equal(await deadlineStateOf(world, request), "AT_RISK");
  await extend(world, request);
  assert.equal(await deadlineStateOf(world, request), "ON_TIME");
  assert.deepEqual(await timersOf(world, request, "clock.%"), [
    { name: "clock.at_risk", dueAt: new Date("2026-04-23T10:00:00Z") },
    { name: "clock.overdue", dueAt: new Date("2026-04-30T10:00:00Z") },
  ]);
  await restart(world, "2026-03-01T00:00:00Z");
  assert.equal(await deadlineStateOf(world, request), "ON_TIME");
  await restart(world, "2026-04-23T10:00:00Z");
  assert.equal(await deadlineStateOf(world, request), "AT_RISK");
  await restart(world, "2026-04-30T10:00:00Z");
  assert.equal(await deadlineStateOf(world, request), "OVERDUE");
});

Deno.test("the clock keeps running while a request is held, and stops when it is completed", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY }, new Date("2026-01-31T10:00:00Z"));
  const [held, canceled] = [await openErasure(world), await openErasure(world)];
  await tell(world, held, "hold", { reason: "a court order" });
  await tell(world, canceled, "cancel");
  assert.deepEqual(await timersOf(world, canceled, "%"), []);
  await restart(world, "2026-03-15T00:00:00Z");
  assert.equal(await deadlineStateOf(world, held), "OVERDUE");
  assert.equal(await deadlineStateOf(world, canceled), "ON_TIME");
  assert.deepEqual(await audits(world, canceled), ["GDPR_REQUEST_OPENED", "GDPR_REQUEST_CANCELLED"]);
});

async function openErasure(world: ManualClockWorld): Promise<ActorRef> {
  const customer = await register(world);
  const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell(world, ref, "open", { customerId: customer.id, right: "ERASURE" });
  return ref;
}

const extend = (world: ManualClockWorld, request: ActorRef) =>
  tell(world, request, "extend", { reason: "many systems" }, { by: world.officer });

/** Starts new actors and a timer loop at the given time, and waits until all due timers have fired. */
async function restart(world: ManualClockWorld, time: string): Promise<void> {
  world.now = new Date(time);
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

async function rowOf({ admin }: ManualClockWorld, { id }: ActorRef, column: string): Promise<unknown> {
  const [row] = await admin`select ${admin(column)} as value from gdpr_requests where request_id = ${id}`;
  return row?.value;
}

async function deadlineStateOf(world: ManualClockWorld, request: ActorRef): Promise<unknown> {
  return (await rowOf(world, request, "snapshot") as { context: { clock: string } }).context.clock;
}

async function timersOf({ admin }: ManualClockWorld, { id }: ActorRef, pattern: string) {
  const rows = await admin`
    select name, due_at from timers where actor_id = ${id} and name like ${pattern} order by name`;
  return rows.map((row) => ({ ...row }));
}

async function audits({ admin }: ManualClockWorld, { id }: ActorRef): Promise<string[]> {
  const rows = await admin`
    select payload->>'action' as action from outbox
    where topic = 'audit.event' and payload->'target'->>'id' = ${id} order by seq`;
  return rows.map((row) => row.action);
}
