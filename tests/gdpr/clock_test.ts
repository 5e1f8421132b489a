/** Statutory clock of a request: due date, the warning before it, and extensions. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { daysOfPause, dueDate, type WorkCalendar } from "../../actors/gdpr/requests/clock.ts";
import { createActors } from "../../actors/mod.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { startTimerLoop } from "../../actors/runtime/timer_loop.ts";
import { register, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { createManualClockWorld, DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";
import { assertInvariants } from "./invariants.ts";

const UTC: WorkCalendar = { timeZone: "UTC", holidays: [] };
const ZURICH: WorkCalendar = {
  timeZone: "Europe/Zurich",
  holidays: ["2026-12-25", "2027-01-01", "2027-05-06"],
};

/** Published examples, and others: date of receipt, last day of the period, and of the period after an extension. */
const EXAMPLES: [source: string, calendar: WorkCalendar, received: string, due: string, extended: string][] =
  [
    // EDPB, Guidelines 01/2022, paragraphs 158 and 159
    ["EDPB: 5 March to 5 April", UTC, "2024-03-05T10:00:00Z", "2024-04-05", "2024-06-05"],
    ["EDPB: 31 August to 30 September", UTC, "2026-08-31T10:00:00Z", "2026-09-30", "2026-11-30"],
    // ICO, "How long do we have to comply?"
    ["ICO: 3 September to 3 October", UTC, "2018-09-03T09:00:00Z", "2018-10-03", "2018-12-03"],
    ["ICO: 31 March to 30 April", UTC, "2026-03-31T08:00:00Z", "2026-04-30", "2026-06-30"],
    // Regulation 1182/71, Article 3(2)(c): the last hour of the day; 3(4): of the next working day
    ["last hour of the day", UTC, "2027-03-30T23:59:59.999Z", "2027-04-30", "2027-06-30"],
    ["first hour of the day", UTC, "2027-03-30T00:00:00Z", "2027-04-30", "2027-06-30"],
    ["a Saturday", UTC, "2026-01-31T10:00:00Z", "2026-03-02", "2026-04-30"],
    ["a Sunday", UTC, "2026-02-05T10:00:00Z", "2026-03-05", "2026-05-05"],
    ["a Sunday after an extension", UTC, "2026-03-14T10:00:00Z", "2026-04-14", "2026-06-15"],
    ["a leap day", UTC, "2028-01-31T10:00:00Z", "2028-02-29", "2028-05-01"],
    ["a leap day as the receipt", UTC, "2028-02-29T23:59:59Z", "2028-03-29", "2028-05-29"],
    ["a century without a leap day", UTC, "2100-01-31T00:00:00Z", "2100-03-01", "2100-04-30"],
    ["the turn of a year", UTC, "2026-12-31T23:30:00Z", "2027-02-01", "2027-03-31"],
    ["a public holiday before a weekend", ZURICH, "2026-11-25T09:00:00Z", "2026-12-28", "2027-02-25"],
    ["a public holiday in a week", ZURICH, "2027-04-06T09:00:00Z", "2027-05-07", "2027-07-06"],
    ["the local day of the receipt", ZURICH, "2027-02-28T23:30:00Z", "2027-04-01", "2027-06-01"],
  ];

/** Last millisecond of a day. */
const endOf = (day: string, { timeZone }: WorkCalendar) =>
  new Date(Temporal.PlainDate.from(day).add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds - 1);

Deno.test("a request is due at the end of the local day one month after receipt, or of the next working day", () => {
  for (const [source, calendar, received, due, extended] of EXAMPLES) {
    const at = new Date(received);
    assert.deepEqual(dueDate(at, calendar, { months: 1 }), endOf(due, calendar), source);
    assert.deepEqual(dueDate(at, calendar, { months: 3 }), endOf(extended, calendar), source);
  }
  // The clocks go forward on 28 March 2027, and back on 31 October 2027.
  const zurich = (received: string) => dueDate(new Date(received), ZURICH, { months: 1 }).toISOString();
  assert.equal(zurich("2027-02-26T10:00:00Z"), "2027-03-26T22:59:59.999Z");
  assert.equal(zurich("2027-03-01T10:00:00Z"), "2027-04-01T21:59:59.999Z");
  assert.equal(zurich("2027-10-04T10:00:00Z"), "2027-11-04T22:59:59.999Z");
});

Deno.test("in every time zone and at every end of a month, the due date ends a working day of the right month", () => {
  const zones = Intl.supportedValuesOf("timeZone");
  const start = Date.UTC(2020, 0, 1);
  const input = fc.record({
    timeZone: fc.constantFrom(...zones),
    // Half of the receipts are within two days of the end of a month.
    at: fc.oneof(
      fc.integer({ min: 0, max: 5_000 * 24 * 60 }).map((minutes) => start + minutes * 60_000),
      fc.tuple(fc.integer({ min: 0, max: 160 }), fc.integer({ min: -48 * 60, max: 48 * 60 }))
        .map(([month, minutes]) => Date.UTC(2020, month, 1) + minutes * 60_000),
    ),
    months: fc.constantFrom(1 as const, 3 as const),
    pausedDays: fc.constantFrom(0, 0, 1, 30),
    isHoliday: fc.boolean(),
  });
  fc.assert(
    fc.property(input, ({ timeZone, at, months, pausedDays, isHoliday }) => {
      const local = (instant: number) =>
        Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone).toPlainDate();
      const nominal = local(at).add({ months }).add({ days: pausedDays });
      const holidays = isHoliday ? [nominal.toString()] : [];
      const due = dueDate(new Date(at), { timeZone, holidays }, { months, pausedDays }).getTime();
      const last = local(due);
      assert.ok(last.dayOfWeek <= 5 && !holidays.includes(last.toString()), "a working day");
      assert.notEqual(local(due + 1).toString(), last.toString(), "its last millisecond");
      const moved = nominal.until(last).days;
      assert.ok(moved >= 0 && moved <= (isHoliday ? 3 : 2), `moved by ${moved} days`);
      if (pausedDays === 0) {
        const month = local(at).toPlainYearMonth().add({ months });
        const day = Math.min(local(at).day, month.daysInMonth);
        assert.equal(nominal.toString(), month.toPlainDate({ day }).toString(), "the date of the receipt");
      }
      const later = dueDate(new Date(at + 60_000), { timeZone, holidays }, { months, pausedDays }).getTime();
      assert.ok(later >= due, "a later receipt is not due earlier");
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("a pause counts the days on which it was not ended", () => {
  const days = (from: string, to: string) => daysOfPause(new Date(from), new Date(to), ZURICH);
  assert.equal(days("2026-03-10T08:00:00Z", "2026-03-10T22:59:59Z"), 0);
  assert.equal(days("2026-03-10T08:00:00Z", "2026-03-10T23:00:00Z"), 1);
  assert.equal(days("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z"), 2);
});

Deno.test("a stored request follows the calendar of its store, also when it is extended", async () => {
  await using world = await createManualClockWorld({ graceMs: 60 * DAY });
  const settings = { kind: "store_settings" as const, storeId: world.storeId, id: world.storeId };
  for (const [source, calendar, received, due, extended] of EXAMPLES) {
    if (received < "2020") continue;
    await tell(world, settings, "settings.change", { ...calendar, holidays: [...calendar.holidays] }, {
      by: world.officer,
    });
    world.now = new Date(received);
    const request = await openErasure(world);
    assert.deepEqual(await rowOf(world, request, "due_at"), endOf(due, calendar), source);
    world.now = new Date(world.now.getTime() + 3 * DAY);
    await extend(world, request);
    assert.deepEqual(await rowOf(world, request, "due_at"), endOf(extended, calendar), source);
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

  world.now = new Date("2026-03-02T23:59:59.998Z");
  await extend(world, late);
  world.now = new Date("2026-03-02T23:59:59.999Z");
  await assert.rejects(extend(world, lapsed), { code: "REFUSED_IN_STATE" });
  assert.equal(await rowOf(world, lapsed, "extension_reason"), null);
});

Deno.test("a request is at risk one week before its due date, then overdue; both are audited and survive a restart", async () => {
  await using world = await createManualClockWorld({ graceMs: 60 * DAY }, new Date("2026-01-31T10:00:00Z"));
  const request = await openErasure(world);

  await restart(world, "2026-02-23T23:59:59.998Z");
  assert.equal(await deadlineStateOf(world, request), "ON_TIME");
  await restart(world, "2026-02-23T23:59:59.999Z");
  assert.equal(await deadlineStateOf(world, request), "AT_RISK");
  await restart(world, "2026-03-02T23:59:59.998Z");
  assert.equal(await deadlineStateOf(world, request), "AT_RISK");
  await restart(world, "2026-03-02T23:59:59.999Z");
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
    { name: "clock.at_risk", dueAt: new Date("2026-04-23T23:59:59.999Z") },
    { name: "clock.overdue", dueAt: new Date("2026-04-30T23:59:59.999Z") },
  ]);
  await restart(world, "2026-03-03T00:00:00Z");
  assert.equal(await deadlineStateOf(world, request), "ON_TIME");
  await restart(world, "2026-04-23T23:59:59.999Z");
  assert.equal(await deadlineStateOf(world, request), "AT_RISK");
  await restart(world, "2026-04-30T23:59:59.999Z");
  assert.equal(await deadlineStateOf(world, request), "OVERDUE");
});

Deno.test("the clock keeps running while a request is held, and stops when it is completed", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY }, new Date("2026-01-31T10:00:00Z"));
  const [held, canceled] = [await openErasure(world), await openErasure(world)];
  await tell(world, held, "hold", { ground: "LEGAL_CLAIM", reason: "a court order" });
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
