/** Status line of a request, for every state of every machine. */
import assert from "node:assert/strict";
import { type AvailableDecision, DECISIONS } from "../../actors/gdpr/requests/available_decisions.ts";
import { stateName } from "../../actors/runtime/recorded_event.ts";
import { describeStatus, type Tone } from "../../inspect/request/status_text.ts";
import { suggestDecisions } from "../../inspect/request/suggestions.ts";
import { phaseOf, phasePrefix, type RequestStatus } from "../../inspect/request/status.ts";
import { everyPath, type Subject, SUBJECTS } from "./chart_subjects.ts";

const DAY = 24 * 60 * 60_000;
const NOW = new Date("2026-03-20T12:00:00Z");
const inDays = (days: number) => new Date(NOW.getTime() + days * DAY);

const standing = (changes: Partial<RequestStatus>): RequestStatus => ({
  state: "PENDING",
  since: inDays(-3),
  now: NOW,
  startsAt: undefined,
  dueAt: inDays(12),
  outcome: null,
  completedAt: null,
  proposer: undefined,
  fetchWaitEndsAt: null,
  expiresAt: undefined,
  identityFailures: 0,
  clockPausedSince: null,
  reasons: { information: null, hold: null, refusal: null, cancellation: null },
  residue: 0,
  attempts: {},
  abandonedEffects: [],
  failingWork: [],
  unreadable: undefined,
  ...changes,
});

/** Text of the line, with a date for each instant, and its tone. */
function line(changes: Partial<RequestStatus>): [string, Tone] {
  const { words, tone } = describeStatus(standing(changes));
  return [
    words.map((word) =>
      typeof word === "string" ? word : word instanceof Date ? word.toISOString().slice(0, 10) : word.quote
    ).join(""),
    tone,
  ];
}

const awaiting = (regions: Record<string, string>) => ({ IN_PROGRESS: { awaiting_confirmations: regions } });
const collecting = (regions: Record<string, string>) => ({ IN_PROGRESS: { collecting: regions } });
const TWENTY = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`service-${index}`, "asked"]));

const TABLE: [string, Partial<RequestStatus>, string, Tone][] = [
  [
    "an erasure in its grace period",
    { state: { PENDING: "grace" }, startsAt: inDays(2) },
    "Grace period until 2026-03-22; can still be canceled; due in 12 days",
    "quiet",
  ],
  [
    "an erasure without a grace period",
    { state: { PENDING: "grace" }, startsAt: inDays(-1) },
    "The erasure is about to start; due in 12 days",
    "quiet",
  ],
  [
    "an erasure whose start is unknown",
    { state: { PENDING: "grace" } },
    "Grace period; can still be canceled; due in 12 days",
    "quiet",
  ],
  [
    "an erasure that waits for an access request",
    { state: { PENDING: "waiting_for_access" } },
    "Waiting 3 days for the customer's access request to be closed; the erasure starts after it; due in 12 days",
    "quiet",
  ],
  [
    "a held request",
    {
      state: { PENDING: "held" },
      reasons: { information: null, hold: "a lawsuit", refusal: null, cancellation: null },
    },
    "On hold since 2026-03-17: a lawsuit; due in 12 days",
    "quiet",
  ],
  [
    "a request that legal holds on the customer keep",
    {
      state: { PENDING: "held" },
      isHeldByCustomer: true,
      reasons: { hold: "an earlier lawsuit", information: null, refusal: null, cancellation: null },
    },
    "On hold since 2026-03-17 by legal holds on the customer; continues by itself after the last one; due in 12 days",
    "quiet",
  ],
  [
    "a held request whose reason is unknown",
    { state: { PENDING: "held" } },
    "On hold since 2026-03-17; due in 12 days",
    "quiet",
  ],
  [
    "a recorded request",
    { state: { PENDING: "recorded" }, startsAt: NOW },
    "Recorded; about to start; due in 12 days",
    "quiet",
  ],
  [
    "a recorded request that begins later",
    { state: { PENDING: "recorded" }, startsAt: inDays(1) },
    "Recorded; the work starts on 2026-03-21; due in 12 days",
    "quiet",
  ],
  [
    "a participant called several times",
    {
      state: awaiting({ "order-service": "confirmed", "payment-service": "asked" }),
      attempts: { "order-service": 9, "payment-service": 4 },
    },
    "Waiting 3 days for payment-service; asked 4 times; due in 12 days",
    "quiet",
  ],
  [
    "a participant called just now",
    { state: awaiting({ "payment-service": "asked" }), attempts: { "payment-service": 1 }, since: NOW },
    "Waiting for payment-service; asked once; due in 12 days",
    "quiet",
  ],
  [
    "two participants with different numbers of calls",
    { state: awaiting({ a: "asked", b: "asked" }), attempts: { a: 1, b: 2 } },
    "Waiting 3 days for a and b; asked up to twice; due in 12 days",
    "quiet",
  ],
  [
    "an overdue participant",
    { state: awaiting({ a: "overdue", b: "waived" }) },
    "Waiting 3 days for a; a overdue; due in 12 days",
    "alarm",
  ],
  [
    "one overdue participant of three",
    { state: awaiting({ a: "asked", b: "overdue", c: "asked" }) },
    "Waiting 3 days for a, b and c; b overdue; due in 12 days",
    "alarm",
  ],
  [
    "an overdue participant of an overdue request",
    { state: collecting({ a: "overdue", b: "received" }), attempts: { a: 8 }, dueAt: inDays(-4) },
    "Waiting 3 days for a; asked 8 times; a overdue; 4 days past the legal due date",
    "alarm",
  ],
  [
    "twenty participants",
    { state: awaiting({ ...TWENTY, "service-0": "confirmed" }) },
    "Waiting 3 days for 19 of 20 services; due in 12 days",
    "quiet",
  ],
  [
    "a participant that will be called again",
    { state: collecting({ a: "received", b: "retrying" }), attempts: { b: 2 } },
    "Waiting 3 days for b; asked twice; due in 12 days",
    "quiet",
  ],
  [
    "a participant that failed and is asked again",
    {
      state: collecting({ a: "received", b: "retrying" }),
      attempts: { b: 2 },
      calls: {
        b: {
          state: "RETRYING",
          failure: "TIMEOUT",
          since: inDays(-3),
          failedAt: inDays(-1),
          nextAttemptAt: inDays(1),
        },
      },
    },
    "b has not answered since 2026-03-17: it has not answered in time (2 attempts); it is asked again automatically on " +
    "2026-03-21; due in 12 days",
    "quiet",
  ],
  [
    "a participant that is not asked again, and one that is asked",
    {
      state: collecting({ a: "asked", b: "overdue" }),
      attempts: { a: 1, b: 8 },
      calls: {
        a: { state: "ASKED", failure: null, since: inDays(-3), failedAt: null, nextAttemptAt: null },
        b: {
          state: "OVERDUE",
          failure: "UNREACHABLE",
          since: inDays(-3),
          failedAt: inDays(-2),
          nextAttemptAt: null,
        },
      },
    },
    "b has not answered since 2026-03-17: it cannot be reached (8 attempts, the last on 2026-03-18); it is not asked " +
    "again automatically; also waiting for a; due in 12 days",
    "alarm",
  ],
  [
    "a participant that staff have retried",
    {
      state: collecting({ a: "asked" }),
      attempts: { a: 9 },
      calls: {
        a: {
          state: "ASKED",
          failure: "TIMEOUT",
          since: inDays(-3),
          failedAt: inDays(-2),
          nextAttemptAt: null,
        },
      },
    },
    "a has not answered since 2026-03-17: it has not answered in time (9 attempts); it is being asked now; due in 12 days",
    "quiet",
  ],
  [
    "a participant without a URL",
    {
      state: collecting({ a: "overdue" }),
      attempts: { a: 8 },
      calls: {
        a: {
          state: "OVERDUE",
          failure: "NOT_CONFIGURED",
          since: inDays(-3),
          failedAt: inDays(-2),
          nextAttemptAt: null,
        },
      },
    },
    "a could not be asked since 2026-03-17: its URL is not configured; it is not tried again automatically; due in 12 days",
    "alarm",
  ],
  [
    "a participant whose failure is unknown to this version",
    {
      state: collecting({ a: "retrying" }),
      attempts: { a: 1 },
      calls: {
        a: {
          state: "RETRYING",
          failure: "BROKEN",
          since: null,
          failedAt: inDays(-2),
          nextAttemptAt: inDays(1),
        },
      },
    },
    "a has not answered: the call failed with BROKEN (1 attempt); it is asked again automatically on 2026-03-21; " +
    "due in 12 days",
    "quiet",
  ],
  [
    "a participant that has not confirmed an erasure for a week",
    {
      state: awaiting({ a: "overdue" }),
      attempts: { a: 12 },
      calls: {
        a: { state: "OVERDUE", failure: null, since: inDays(-9), failedAt: null, nextAttemptAt: inDays(1) },
      },
    },
    "a has not answered since 2026-03-11 (12 attempts); it is asked again automatically on 2026-03-21; due in 12 days",
    "alarm",
  ],
  [
    "participants that are asked again by a schedule",
    {
      state: awaiting({ a: "asked", b: "asked" }),
      attempts: { a: 2, b: 2 },
      calls: {
        a: { state: "ASKED", failure: null, since: inDays(-3), failedAt: null, nextAttemptAt: inDays(2) },
        b: { state: "ASKED", failure: null, since: inDays(-3), failedAt: null, nextAttemptAt: inDays(1) },
      },
    },
    "Waiting 3 days for a and b; asked twice, again automatically on 2026-03-21; due in 12 days",
    "quiet",
  ],
  [
    "documents that are being made",
    { state: { IN_PROGRESS: "compiling" } },
    "All data collected; creating the documents; due in 12 days",
    "quiet",
  ],
  [
    "the scan",
    { state: { IN_PROGRESS: "verifying" } },
    "All services have answered; scanning for remaining data; due in 12 days",
    "quiet",
  ],
  [
    "a scan with remaining values",
    { state: { IN_PROGRESS: "residue_found" }, residue: 2 },
    "The scan found 2 remaining values; manual check required; due in 12 days",
    "alarm",
  ],
  [
    "a scan whose result is unknown",
    { state: { IN_PROGRESS: "residue_found" }, residue: undefined },
    "The scan found remaining data; manual check required; due in 12 days",
    "alarm",
  ],
  [
    "a fulfilled request",
    { state: "COMPLETED", outcome: "FULFILLED" },
    "Completed: fulfilled on 2026-03-17",
    "good",
  ],
  [
    "a request fulfilled too late",
    { state: "COMPLETED", outcome: "FULFILLED", dueAt: inDays(-5) },
    "Completed: fulfilled on 2026-03-17, 2 days late",
    "good",
  ],
  [
    "a request fulfilled with waivers",
    { state: "COMPLETED", outcome: "FULFILLED_WITH_WAIVERS" },
    "Completed: fulfilled with waivers on 2026-03-17",
    "risk",
  ],
  [
    "documents that can be downloaded",
    { state: { COMPLETED: "available" }, outcome: "FULFILLED", expiresAt: inDays(4) },
    "Completed: fulfilled on 2026-03-17; the person does not have the documents yet, which expire on 2026-03-24",
    "good",
  ],
  [
    "documents that were fetched, after the completion",
    { state: { COMPLETED: "fetched" }, outcome: "FULFILLED", completedAt: inDays(-5) },
    "Completed: fulfilled on 2026-03-15",
    "good",
  ],
  [
    "documents that were not fetched",
    { state: { COMPLETED: "not_fetched" }, outcome: "NOT_FETCHED", completedAt: inDays(-10) },
    "Completed: answered on 2026-03-10, but the documents were gone before the person had them",
    "risk",
  ],
  [
    "a proposed erasure",
    { state: { PENDING: "proposed" }, proposer: "a colleague" },
    "Proposed by a colleague; a second person has to confirm or reject it; due in 12 days",
    "risk",
  ],
  [
    "an erasure that waits for a download",
    { state: { PENDING: "waiting_for_download" }, fetchWaitEndsAt: inDays(4) },
    "Waiting until the person has the documents of an earlier request, at the latest until 2026-03-24" +
    "; the erasure then destroys them; due in 12 days",
    "quiet",
  ],
  [
    "a proposed waiver",
    { state: awaiting({ orders: "confirmed", payments: "waiver_proposed" }), attempts: { payments: 2 } },
    "Waiting 3 days for payments; asked twice; a second person has to confirm or reject the waiver of payments" +
    "; due in 12 days",
    "risk",
  ],
  [
    "a canceled request",
    { state: "COMPLETED", outcome: "CANCELLED" },
    "Completed: canceled on 2026-03-17",
    "quiet",
  ],
  [
    "a canceled collection, which has no documents",
    { state: { COMPLETED: "without_documents" }, outcome: "CANCELLED" },
    "Completed: canceled on 2026-03-17",
    "quiet",
  ],
  [
    "a refused request",
    {
      state: "COMPLETED",
      outcome: "REFUSED",
      reasons: { information: null, hold: null, refusal: "not the subject", cancellation: null },
    },
    "Completed: refused on 2026-03-17: not the subject",
    "quiet",
  ],
  [
    "a rectification that was recorded",
    { state: "PENDING" },
    "Recorded; about to start; due in 12 days",
    "quiet",
  ],
  ["a rectification in progress", { state: "IN_PROGRESS" }, "In progress; due in 12 days", "quiet"],
  [
    "a request at risk",
    { state: { IN_PROGRESS: "compiling" }, dueAt: inDays(1) },
    "All data collected; creating the documents; due in 1 day",
    "risk",
  ],
  [
    "an overdue request",
    { state: { IN_PROGRESS: "compiling" }, dueAt: inDays(-2) },
    "All data collected; creating the documents; 2 days past the legal due date",
    "alarm",
  ],
  [
    "work that was given up",
    { state: { IN_PROGRESS: "compiling" }, abandonedEffects: ["creating the documents"] },
    "Failed permanently: creating the documents; retry manually. All data collected; creating the documents; due in 12 days",
    "alarm",
  ],
  ["an unknown state", { state: { PENDING: "asleep" } }, "Pending, asleep; due in 12 days", "quiet"],
  [
    "an unknown machine",
    { state: { PENDING: "held" }, unreadable: "its machine is unknown" },
    "Pending, on hold; its machine is unknown; due in 12 days",
    "alarm",
  ],
  ["a state with the name of an object property", { state: "__proto__" }, "Proto; due in 12 days", "quiet"],
];

const NONE = { isRisky: false, isHandover: false };
const FAILING = {
  state: "OVERDUE" as const,
  failure: "UNREACHABLE",
  since: null,
  failedAt: null,
  nextAttemptAt: null,
};
const ABOUT_A = ["retry", "waive"].map((type) => ({ type, service: "a" }));

Deno.test("the status line suggests the decisions that help, and only those that are offered", () => {
  const suggested = (changes: Partial<RequestStatus>, offers: unknown[], situation = NONE) =>
    suggestDecisions(standing(changes), offers as AvailableDecision[], situation);
  const failing = { state: collecting({ a: "overdue", b: "received" }), calls: { a: FAILING } };
  assert.deepEqual(suggested(failing, ABOUT_A), ABOUT_A);
  assert.deepEqual(suggested(failing, [ABOUT_A[1], { type: "cancel" }]), [ABOUT_A[1]]);
  assert.deepEqual(suggested(failing, []), []);
  const notConfigured = { ...failing, calls: { a: { ...FAILING, failure: "NOT_CONFIGURED" } } };
  assert.deepEqual(suggested(notConfigured, ABOUT_A), [ABOUT_A[1]]);
  const two = { state: collecting({ a: "overdue", b: "retrying" }), calls: { a: FAILING, b: FAILING } };
  const ofTwo = ["retry", "waive"].flatMap((type) => ["a", "b"].map((service) => ({ type, service })));
  assert.deepEqual(suggested(two, ofTwo), [{ type: "retry" }, { type: "waive" }]);
  const quiet = { state: awaiting({ a: "asked" }) };
  assert.deepEqual(suggested(quiet, [...ABOUT_A, { type: "extend" }]), []);
  assert.deepEqual(suggested(quiet, [{ type: "extend" }], { ...NONE, isRisky: true }), [{ type: "extend" }]);
  const given = { state: { IN_PROGRESS: "compiling" }, abandonedEffects: ["creating the documents"] };
  assert.deepEqual(suggested(given, [{ type: "retry" }]), [{ type: "retry" }]);
  const handover = { state: { COMPLETED: "available" }, outcome: "FULFILLED" as const };
  assert.deepEqual(suggested(handover, [{ type: "hand_over" }], { ...NONE, isHandover: true }), [
    { type: "hand_over" },
  ]);
  const phases: [string, string[]][] = [
    ["identifying", ["identity.verify", "information.request"]],
    ["waiting_for_information", ["information.receive"]],
    ["proposed", ["confirm", "reject"]],
    ["held", ["release"]],
    ["grace", []],
  ];
  for (const [state, types] of phases) {
    const offers = DECISIONS.map((type) => ({ type }));
    assert.deepEqual(suggested({ state: { PENDING: state } }, offers).map(({ type }) => type), types, state);
  }
});

/** Excludes requests with twenty participants, which have too many states to visit. */
const isSmallRequest = ({ machine, participants }: Subject) =>
  machine.id.startsWith("gdpr") && participants.length < 20;

Deno.test("the status line describes the request", async (t) => {
  for (const [what, changes, words, tone] of TABLE) {
    await t.step(what, () => assert.deepEqual(line(changes), [words, tone]));
  }
});

Deno.test("the table covers every state of the four machines, and no line contains a state's key", () => {
  const covered = new Set(TABLE.map(([, { state = "" }]) => phaseOf(state)));
  for (const subject of SUBJECTS.filter(isSmallRequest)) {
    for (const { state: { value, context } } of everyPath(subject)) {
      assert.ok(covered.has(phaseOf(value)), `${subject.title}: ${phaseOf(value)}`);
      const [words] = line({ state: value, outcome: context.outcome });
      assert.match(words, phaseOf(value).startsWith("COMPLETED") ? /^Completed: / : /due in 12 days$/);
      assert.doesNotMatch(
        words.replaceAll(/service-\d+|\S+-service/g, ""),
        /[A-Z]{2}|_|undefined|NaN/,
        words,
      );
    }
  }
});

Deno.test("the prefix of a phase matches its states in the journal and no others", () => {
  for (const subject of SUBJECTS.filter(isSmallRequest)) {
    const states = [...everyPath(subject).take(50)].map(({ state }) => state);
    for (const one of states) {
      for (const other of states) {
        const same = phaseOf(one.value) === phaseOf(other.value);
        assert.equal(stateName(other).startsWith(phasePrefix(one.value)), same, stateName(other));
      }
    }
  }
});
