/** Timeline: changes, runs of identical events, and days without events. */
import assert from "node:assert/strict";
import type { ActorEventRow } from "../../db/actor_events.ts";
import { formatDueDate, formatDuration } from "../../inspect/durations.ts";
import { changesOf } from "../../inspect/timeline/changes.ts";
import { Timeline } from "../../inspect/timeline/mod.tsx";
import { foldRuns } from "../../inspect/timeline/runs.ts";
import { textOf } from "./request_pages.ts";

const HOUR = 60 * 60_000;
const viewer = crypto.randomUUID();

function event(sequence: number, changes: Partial<ActorEventRow> = {}): ActorEventRow {
  return {
    storeId: "",
    actorKind: "gdpr_request",
    actorId: "",
    sequence,
    eventType: "participant.asked_again",
    stateBefore: "COMPLETED",
    stateAfter: "COMPLETED",
    principalId: "00000000-0000-4000-8000-000000000000",
    principalType: "SYSTEM",
    principalService: null,
    changedFields: [],
    reasonGiven: false,
    reason: null,
    note: null,
    noteGiven: false,
    at: new Date(Date.UTC(2026, 2, 10) + sequence * HOUR),
    about: null,
    transitions: null,
    failure: null,
    ...changes,
  };
}

Deno.test("a change of the request shows its new state, a change of a participant its name too", () => {
  const regions = (one: string, two: string) =>
    JSON.stringify({ IN_PROGRESS: { awaiting_confirmations: { "order-service": one, payments: two } } });
  assert.deepEqual(changesOf(null, '{"PENDING":"grace"}'), [{ to: "pending, grace period" }]);
  assert.deepEqual(changesOf('{"PENDING":"grace"}', '{"PENDING":"held"}'), [
    { from: "pending, grace period", to: "pending, on hold" },
  ]);
  assert.deepEqual(changesOf('{"PENDING":"grace"}', regions("asked", "asked")), [
    { from: "pending, grace period", to: "in progress, awaiting confirmations" },
  ]);
  assert.deepEqual(changesOf(regions("asked", "asked"), regions("asked", "overdue")), [
    { about: "payments", from: "asked", to: "overdue" },
  ]);
  assert.deepEqual(changesOf(regions("asked", "asked"), regions("asked", "asked")), []);
  assert.deepEqual(changesOf(regions("asked", "asked"), "COMPLETED"), [
    { from: "in progress, awaiting confirmations", to: "completed" },
  ]);
  assert.deepEqual(changesOf("active", "suspended"), [{ from: "active", to: "suspended" }]);
  assert.deepEqual(changesOf("{nonsense", "{nonsense"), []);
});

Deno.test("three identical events are one line; different events and the selected event are not folded", () => {
  const lengths = (events: ActorEventRow[], shown?: number) =>
    foldRuns(events, shown).map(({ times }) => times);
  const asked = [5, 4, 3, 2, 1].map((sequence) => event(sequence));
  assert.deepEqual(lengths(asked), [5]);
  assert.deepEqual(lengths(asked, 3), [1, 1, 1, 1, 1]);
  assert.deepEqual(lengths(asked, 1), [4, 1]);
  assert.deepEqual(lengths(asked.slice(0, 2)), [1, 1]);
  const different = event(3, { principalId: viewer });
  assert.deepEqual(lengths([...asked.slice(0, 2), different, ...asked.slice(3)]), [1, 1, 1, 1, 1]);
  const explained = event(3, { reason: "the bank asked", reasonGiven: true });
  assert.deepEqual(lengths([...asked.slice(0, 2), explained, ...asked.slice(3)]), [1, 1, 1, 1, 1]);
  const moved = [3, 2, 1].map((sequence) => event(sequence, { stateBefore: "PENDING" }));
  assert.deepEqual(lengths(moved), [1, 1, 1]);
  assert.deepEqual(foldRuns(asked, undefined).flatMap(({ events }) => events), asked);
});

Deno.test("alternating failures and calls are one line, which says whether earlier ones may exist", () => {
  const region = (state: string) =>
    JSON.stringify({ IN_PROGRESS: { collecting: { orders: state, own: "received" } } });
  const failed = { eventType: "source.failed", stateBefore: region("asked"), stateAfter: region("retrying") };
  const again = {
    eventType: "participant.asked_again",
    stateBefore: region("retrying"),
    stateAfter: region("asked"),
  };
  const attempts = (length: number, from = 1) =>
    Array.from({ length }, (_, index) => event(from + index, index % 2 === 0 ? failed : again)).toReversed();
  const render = (events: ActorEventRow[]) =>
    textOf(String(<Timeline lines={foldRuns(events, undefined)} viewer={viewer} />));
  assert.match(
    render(attempts(6, 10)),
    /^Attempt failed, asked again, at least 3 times orders by the service itself/,
  );
  assert.match(
    render([...attempts(7, 2), event(1, { stateAfter: region("asked") })]),
    /^Attempt failed orders: asked .* Attempt failed, asked again, 3 times orders by/,
  );
  assert.doesNotMatch(render(attempts(3)), /times/);
  const byStaff = attempts(6).map((row) => ({
    ...row,
    principalId: viewer,
    principalType: "STAFF" as const,
  }));
  assert.doesNotMatch(render(byStaff), /times/);
});

Deno.test("a line names the participant that was called, a run the number of calls to each", () => {
  const asked = (sequence: number, about: string | null) =>
    event(sequence, { eventType: "participant.asked_again", about });
  const render = (events: ActorEventRow[]) =>
    textOf(String(<Timeline lines={foldRuns(events.toReversed(), undefined)} viewer={viewer} />));
  const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
  assert.match(render([asked(1, "payment-service")]), /^Asked payment-service again 2026/);
  assert.match(
    render(numbers.map((sequence) => asked(sequence, "payment-service"))),
    /^Asked payment-service again, 10 times by the service itself/,
  );
  assert.match(
    render(numbers.map((sequence) => asked(sequence, sequence % 3 === 0 ? "orders" : "payments"))),
    /^Asked again, 10 times payments 7 times, orders 3 times by/,
  );
  assert.match(
    render(numbers.map((sequence) => asked(sequence, sequence === 1 ? null : "orders"))),
    /^Asked again, 10 times orders 9 times, service not recorded once by/,
  );
  const failed = [asked(1, "orders"), asked(2, "orders")].map((row) => ({ ...row, about: null }));
  assert.match(render(failed), /^Asked again .* Asked again /);
});

Deno.test("the heading of alternating failures and calls names the participant", () => {
  const region = (state: string) => JSON.stringify({ IN_PROGRESS: { collecting: { orders: state } } });
  const about = "orders";
  const failed = {
    about,
    eventType: "source.failed",
    stateBefore: region("asked"),
    stateAfter: region("retrying"),
  };
  const again = {
    about,
    eventType: "participant.asked_again",
    stateBefore: region("retrying"),
    stateAfter: region("asked"),
  };
  const attempts = Array.from(
    { length: 6 },
    (_, index) => event(10 + index, index % 2 === 0 ? failed : again),
  )
    .toReversed();
  const text = textOf(String(<Timeline lines={foldRuns(attempts, undefined)} viewer={viewer} />));
  assert.match(text, /^Call to orders failed, asked orders again, at least 3 times by the service itself/);
});

Deno.test("a day without an event is a line, and each principal is described", () => {
  const staff = crypto.randomUUID();
  const events = [
    event(100, {
      eventType: "hold",
      principalId: viewer,
      principalType: "STAFF",
      changedFields: ["hold_reason"],
    }),
    event(28, { eventType: "release", principalId: staff, principalType: "STAFF" }),
    event(27, { eventType: "participant.confirm", principalId: staff }),
    event(1, { eventType: "open", principalId: staff, principalType: "CUSTOMER" }),
  ];
  const html = String(
    <Timeline
      lines={foldRuns(events, undefined)}
      viewer={viewer}
      texts={({ sequence }) => sequence === 28 ? ["Why"] : []}
    />,
  );
  const text = textOf(html);
  assert.match(text, /Put on hold.*by you · changed hold reason 3 days without events Released/);
  assert.match(
    text,
    new RegExp(`Released Why .* by staff ${staff} Confirmed .* by service ${staff} 1 day without`),
  );
  assert.match(text, /Opened .* by the customer/);
  assert.doesNotMatch(html, /<a /);
});

Deno.test("durations use the largest unit that fits", () => {
  const durations = [0, 59_999, 60_000, HOUR - 1, HOUR, 23 * HOUR, 24 * HOUR, 47 * HOUR, 92 * 24 * HOUR].map(
    formatDuration,
  );
  assert.deepEqual(durations, [
    "less than a minute",
    "less than a minute",
    "1 minute",
    "59 minutes",
    "1 hour",
    "23 hours",
    "1 day",
    "1 day",
    "92 days",
  ]);
  const now = new Date();
  assert.equal(formatDueDate(new Date(now.getTime() + 50 * HOUR), now), "due in 2 days");
  assert.equal(formatDueDate(new Date(now.getTime() - 50 * HOUR), now), "2 days past the legal due date");
});
