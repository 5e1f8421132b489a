/** What a timeline tells: what has changed, what was always the same, and when nothing happened. */
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
    changedFields: [],
    reason: null,
    at: new Date(Date.UTC(2026, 2, 10) + sequence * HOUR),
    about: null,
    transitions: null,
    ...changes,
  };
}

Deno.test("a change of the whole is told with where it leads, one of a participant by its name", () => {
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

Deno.test("three events that tell the same are one line; what differs, and the moment shown, stand alone", () => {
  const lengths = (events: ActorEventRow[], shown?: number) =>
    foldRuns(events, shown).map(({ times }) => times);
  const asked = [5, 4, 3, 2, 1].map((sequence) => event(sequence));
  assert.deepEqual(lengths(asked), [5]);
  assert.deepEqual(lengths(asked, 3), [1, 1, 1, 1, 1]);
  assert.deepEqual(lengths(asked, 1), [4, 1]);
  assert.deepEqual(lengths(asked.slice(0, 2)), [1, 1]);
  const odd = event(3, { principalId: viewer });
  assert.deepEqual(lengths([...asked.slice(0, 2), odd, ...asked.slice(3)]), [1, 1, 1, 1, 1]);
  const explained = event(3, { reason: "the bank asked" });
  assert.deepEqual(lengths([...asked.slice(0, 2), explained, ...asked.slice(3)]), [1, 1, 1, 1, 1]);
  const moved = [3, 2, 1].map((sequence) => event(sequence, { stateBefore: "PENDING" }));
  assert.deepEqual(lengths(moved), [1, 1, 1]);
  assert.deepEqual(foldRuns(asked, undefined).flatMap(({ events }) => events), asked);
});

Deno.test("a service that fails and is asked again, in turns, is one line, which says where it may go on", () => {
  const region = (state: string) =>
    JSON.stringify({ IN_PROGRESS: { collecting: { orders: state, own: "received" } } });
  const failed = { eventType: "source.failed", stateBefore: region("asked"), stateAfter: region("retrying") };
  const again = {
    eventType: "participant.asked_again",
    stateBefore: region("retrying"),
    stateAfter: region("asked"),
  };
  const story = (length: number, from = 1) =>
    Array.from({ length }, (_, at) => event(from + at, at % 2 === 0 ? failed : again)).toReversed();
  const told = (events: ActorEventRow[]) =>
    textOf(String(<Timeline lines={foldRuns(events, undefined)} viewer={viewer} />));
  assert.match(
    told(story(6, 10)),
    /^Attempt failed, asked again, at least 3 times orders by the service itself/,
  );
  assert.match(
    told([...story(7, 2), event(1, { stateAfter: region("asked") })]),
    /^Attempt failed orders: asked .* Attempt failed, asked again, 3 times orders by/,
  );
  assert.doesNotMatch(told(story(3)), /times/);
  const people = story(6).map((row) => ({ ...row, principalId: viewer, principalType: "STAFF" as const }));
  assert.doesNotMatch(told(people), /times/);
});

Deno.test("a line says which service was asked, and a run how often each of them", () => {
  const asked = (sequence: number, about: string | null) =>
    event(sequence, { eventType: "participant.asked_again", about });
  const told = (events: ActorEventRow[]) =>
    textOf(String(<Timeline lines={foldRuns(events.toReversed(), undefined)} viewer={viewer} />));
  const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
  assert.match(told([asked(1, "payment-service")]), /^Asked payment-service again 2026/);
  assert.match(
    told(numbers.map((sequence) => asked(sequence, "payment-service"))),
    /^Asked payment-service again, 10 times by the service itself/,
  );
  assert.match(
    told(numbers.map((sequence) => asked(sequence, sequence % 3 === 0 ? "orders" : "payments"))),
    /^Asked again, 10 times payments 7 times, orders 3 times by/,
  );
  assert.match(
    told(numbers.map((sequence) => asked(sequence, sequence === 1 ? null : "orders"))),
    /^Asked again, 10 times orders 9 times, service not recorded once by/,
  );
  const failed = [asked(1, "orders"), asked(2, "orders")].map((row) => ({ ...row, about: null }));
  assert.match(told(failed), /^Asked again .* Asked again /);
});

Deno.test("a service that fails and is asked again, in turns, is named in the line's heading", () => {
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
  const story = Array.from({ length: 6 }, (_, at) => event(10 + at, at % 2 === 0 ? failed : again))
    .toReversed();
  const text = textOf(String(<Timeline lines={foldRuns(story, undefined)} viewer={viewer} />));
  assert.match(text, /^Call to orders failed, asked orders again, at least 3 times by the service itself/);
});

Deno.test("a day without an event is a line of its own, and everybody is called what they are", () => {
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
      note={({ sequence }) => sequence === 28 && "Why"}
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

Deno.test("spans are told in the largest unit that fits", () => {
  const told = [0, 59_999, 60_000, HOUR - 1, HOUR, 23 * HOUR, 24 * HOUR, 47 * HOUR, 92 * 24 * HOUR].map(
    formatDuration,
  );
  assert.deepEqual(told, [
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
