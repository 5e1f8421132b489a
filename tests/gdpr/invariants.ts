/** Invariants of the rows of a request, after any events in any order. */
import assert from "node:assert/strict";
import { type RequestContext, THE_ERASURE } from "../../actors/gdpr/machines/events.ts";
import type { ActorRef } from "../../actors/commands.ts";
import type { Sql } from "../../db/connect.ts";

/** State of a participant's row by the state of its region. */
const ROW_STATES: Record<string, string> = {
  asked: "ASKED",
  retrying: "RETRYING",
  overdue: "OVERDUE",
  received: "RECEIVED",
  waiver_proposed: "ASKED",
  confirmed: "CONFIRMED",
  waived: "WAIVED",
};
/** Due time of a timer that is claimed but has not fired. */
const CLAIMED = new Date(0);
const UNFULFILLED: readonly unknown[] = ["CANCELLED", "REFUSED", "NOT_IDENTIFIED"];
const SETTLED = ["RECEIVED", "CONFIRMED", "WAIVED"];

type Value = string | { [state: string]: Value };
// deno-lint-ignore no-explicit-any -- a row of any table
type Row = Record<string, any>;

/** The two upper levels of a request's state: `PENDING.grace`, `IN_PROGRESS.collecting`. */
export function phaseOf(value: Value): string {
  if (typeof value === "string") return value;
  const [top = "", inner = ""] = Object.entries(value)[0] ?? [];
  return `${top}.${typeof inner === "string" ? inner : Object.keys(inner)[0]}`;
}

/** State of each participant's region; empty if the current state has no regions. */
export function regionsOf(value: Value): Record<string, string> {
  const inner = typeof value === "string" ? undefined : Object.values(value)[0];
  const regions = typeof inner === "object" ? Object.values(inner)[0] : undefined;
  return typeof regions === "object" ? regions as Record<string, string> : {};
}

/** @throws {assert.AssertionError} the rows contradict each other or the machine's state */
export async function assertInvariants(admin: Sql, { id }: ActorRef): Promise<void> {
  const [request] = await admin`select * from gdpr_requests where request_id = ${id}`;
  assert.ok(request);
  const { value, context } = request.snapshot as { value: Value; context: RequestContext };
  const phase = phaseOf(value);
  const stateText = JSON.stringify(value);

  const [status = ""] = phase.split(".");
  assert.ok(["PENDING", "IN_PROGRESS", "COMPLETED"].includes(status), stateText);
  assert.equal(request.status, status);
  assert.equal(request.outcome, context.outcome);
  assert.equal(status === "COMPLETED", request.outcome !== null, stateText);
  assert.equal(status === "COMPLETED", request.completedAt !== null, stateText);
  assert.equal(request.dueAt.getTime(), context.dueAt);

  if (request.type === "ERASURE") {
    const isHeld = phase === "PENDING.held";
    if (status !== "COMPLETED") {
      assert.equal(context.heldBy !== null, isHeld, `${stateText} ${context.heldBy}`);
    }
    const [customer] = await admin`
      select anonymized_at, holds, (select count(*)::int from customer_holds h
        where h.customer_id = c.customer_id and h.ended_at is null) as in_effect
      from customers c where customer_id = ${request.customerId}`;
    assert.equal(customer?.holds, customer?.inEffect);
    if (customer?.anonymizedAt) assert.equal(customer.holds, 0, "no accepted hold is lost to an erasure");
  }

  const journal = await admin`
    select sequence, state_before, state_after from actor_events where actor_id = ${id} order by sequence`;
  assert.deepEqual(journal.map((row) => row.sequence), journal.map((_, at) => at + 1));
  assert.equal(journal.length, request.version);
  for (const [at, row] of journal.entries()) {
    assert.equal(row.stateBefore, journal[at - 1]?.stateAfter ?? null);
  }
  const { stateAfter } = journal.at(-1) ?? {};
  assert.deepEqual(typeof value === "string" ? stateAfter : JSON.parse(stateAfter), value);

  const timers = new Map(
    (await admin`select name, due_at, attempts from timers where actor_id = ${id}`)
      .map((row) => [row.name, row.attempts > 0 ? CLAIMED : row.dueAt]),
  );
  const expected = new Set<string>();
  const isPaused = phase === "PENDING.waiting_for_information";
  if (isPaused) expected.add(`xstate.after.UNTIL_INFORMATION_EXPIRES.${request.machine}.${phase}`);
  assert.equal(request.informationRequestedAt !== null, isPaused, stateText);
  if (phase === "PENDING.identifying" || isPaused) assert.equal(request.identifiedAt, null, stateText);
  else if (phase.startsWith("PENDING") || request.outcome?.startsWith("FULFILLED")) {
    assert.ok(request.identifiedAt, stateText);
  }
  if (status !== "COMPLETED" && !isPaused) {
    if (context.clock === "ON_TIME") expected.add("clock.at_risk");
    if (context.clock !== "OVERDUE") expected.add("clock.overdue");
  }
  if (phase === "PENDING.grace" || phase === "PENDING.recorded") {
    expected.add(`xstate.after.UNTIL_START.${request.machine}.${phase}`);
  }
  if (phase === "PENDING.waiting_for_download") {
    expected.add(`xstate.after.UNTIL_FETCH_WAIT_ENDS.${request.machine}.${phase}`);
  }
  if (phase === "COMPLETED.available") expected.add(`xstate.after.UNTIL_EXPIRY.${request.machine}.${phase}`);
  assert.equal(request.fetchWaitEndsAt !== null, phase === "PENDING.waiting_for_download", stateText);
  const end = phase === "PENDING.grace"
    ? new Date(context.startsAt)
    : phase === "PENDING.waiting_for_download"
    ? request.fetchWaitEndsAt
    : null;
  assert.deepEqual(request.cancellableUntil, end, `known end of the time to cancel in ${stateText}`);
  assert.equal(request.fetchedAt !== null, phase === "COMPLETED.fetched", stateText);
  assertProposals(context, phase, regionsOf(value));

  const participants = await admin`select * from gdpr_participants where request_id = ${id}`;
  const regions = regionsOf(value);
  const hasStarted = journal.some((row) => row.stateAfter.includes("IN_PROGRESS"));
  assert.deepEqual(
    participants.map((row) => row.service).sort(),
    hasStarted ? [...context.participants].sort() : [],
    stateText,
  );
  for (const row of participants) {
    const { service, state, nextAttemptAt, settledAt } = row;
    const region = regions[service];
    if (region) {
      const isLate = region === "waiver_proposed" && context.overdue.includes(service);
      assert.ok(state === (isLate ? "OVERDUE" : ROW_STATES[region]), `${service} of ${stateText}`);
      assert.equal(row.waiverProposedBy !== null, ["waiver_proposed", "waived"].includes(region), stateText);
      if (region === "waiver_proposed") assert.equal(row.waiverProposedBy, context.proposals[service]);
      if (!SETTLED.includes(state)) assert.equal(row.attempts, context.attempts[service] ?? 0);
      const isRetried: boolean = request.type === "ERASURE" ? !SETTLED.includes(state) : state === "RETRYING";
      if (isRetried) expected.add(`ask ${service}`);
      if (request.type === "ERASURE" && !SETTLED.includes(state) && !context.overdue.includes(service)) {
        expected.add(`overdue ${service}`);
      }
      const due: Date | undefined = isRetried ? timers.get(`ask ${service}`) : undefined;
      if (due !== CLAIMED) assert.deepEqual(nextAttemptAt, due ?? null, `next attempt of ${service}`);
    } else if (!UNFULFILLED.includes(request.outcome)) {
      assert.ok(SETTLED.includes(state), `${service} is ${state} in ${stateText}`);
    }
    assert.equal(SETTLED.includes(state), settledAt !== null, `${service} of ${stateText}`);
    assert.equal(state === "WAIVED", context.waived.includes(service), stateText);
    if (state === "WAIVED") {
      if (status !== "COMPLETED") assert.ok(row.waiverReason);
      assert.notEqual(row.waiverConfirmedBy, row.waiverProposedBy, "a second person");
    }
  }
  // The first timer of the clock remains if the second fires before it, and is dropped later.
  if (status !== "COMPLETED") timers.delete(context.clock === "OVERDUE" ? "clock.at_risk" : "");
  assert.deepEqual([...timers.keys()].sort(), [...expected].sort(), `timers of ${stateText}`);

  const effects = await admin`select type, params, state from effects where actor_id = ${id}`;
  const hasEffect = (type: string, service?: string) =>
    effects.some((row) => row.type === type && (service === undefined || row.params.service === service));
  if (phase === "IN_PROGRESS.verifying") assert.ok(hasEffect("erasure.verify"));
  if (phase === "IN_PROGRESS.compiling") assert.ok(hasEffect("export.compile"));
  if (phase === "IN_PROGRESS.collecting") {
    for (const service of Object.keys(regions)) assert.ok(hasEffect("source.collect", service));
  }

  const messages = await admin`
    select topic, payload from outbox where key = ${request.customerId} and
      (payload->>'requestId' = ${id} or payload->'target'->>'id' = ${id}) order by seq`;
  const audits = (action: string) => messages.filter(({ payload }) => payload.action === action).length;
  assert.equal(audits("GDPR_REQUEST_OPENED"), 1);
  const isAnswered = status === "COMPLETED" && !UNFULFILLED.includes(request.outcome);
  const hasWaivers = context.waived.length > 0;
  if (isAnswered && phase !== "COMPLETED.not_fetched") {
    assert.equal(request.outcome, hasWaivers ? "FULFILLED_WITH_WAIVERS" : "FULFILLED");
  }
  assert.equal(request.outcome === "NOT_FETCHED", phase === "COMPLETED.not_fetched");
  assert.equal(audits("GDPR_REQUEST_COMPLETED"), isAnswered && !hasWaivers ? 1 : 0);
  assert.equal(audits("GDPR_REQUEST_COMPLETED_WITH_WAIVERS"), isAnswered && hasWaivers ? 1 : 0);
  assert.equal(audits("GDPR_REQUEST_CANCELLED"), request.outcome === "CANCELLED" ? 1 : 0);
  assert.equal(audits("GDPR_REQUEST_REFUSED"), request.outcome === "REFUSED" ? 1 : 0);
  assert.equal(audits("GDPR_REQUEST_NOT_IDENTIFIED"), request.outcome === "NOT_IDENTIFIED" ? 1 : 0);
  for (const state of ["CONFIRMED", "WAIVED"]) {
    const rows = participants.filter((row) => row.state === state).length;
    assert.equal(audits(`GDPR_PARTICIPANT_${state}`), rows, "each outcome is published once");
  }
  await assertNotices(admin, request, context);
  if (request.type === "ERASURE") await assertErasure(admin, request, messages.map((row) => row.topic));
  if (UNFULFILLED.includes(request.outcome)) {
    const parts = await admin`select part from gdpr_export_parts where request_id = ${id}`;
    assert.equal(parts.length, 0, "collected data is deleted");
  }
}

/** Whatever has happened, the customer is informed of it: by a notice that was delivered or waived, or that is visible. */
async function assertNotices(admin: Sql, request: Row, context: RequestContext): Promise<void> {
  const { requestId, customerId, type, status, outcome, dueAt } = request;
  const notices = await admin`select * from gdpr_notices where request_id = ${requestId} order by created_at`;
  const informationRequests = await admin`
    select from actor_events where actor_id = ${requestId} and event_type = 'information.request'`;
  const isErasing = type === "ERASURE" && (status === "IN_PROGRESS" || isFulfilled(outcome));
  const expected = context.cause === "RESTORE" ? [] : type === "RECTIFICATION" ? ["RECTIFIED"] : [
    "RECEIVED",
    ...(context.extended ? ["EXTENDED"] : []),
    ...informationRequests.map(() => "IDENTITY_NEEDED"),
    ...(outcome === "REFUSED" || outcome === "CANCELLED" ? [outcome] : []),
    ...(outcome === "NOT_IDENTIFIED" ? ["REFUSED"] : []),
    ...(isErasing ? ["ERASED"] : []),
    ...(type !== "ERASURE" && (isFulfilled(outcome) || outcome === "NOT_FETCHED") ? ["READY"] : []),
  ];
  assert.deepEqual(notices.map(({ kind }) => kind).sort(), expected.sort(), "the customer is informed");
  const [subject] = await admin`
    select anonymized_at from customers where customer_id = ${customerId}
    union all select anonymized_at from guests where customer_id = ${customerId}`;
  for (const { noticeId, kind, delivery, attempts, dueAt: noticeDueAt, ...notice } of notices) {
    if (["DELIVERED", "WAIVED", "EXPIRED", "UNDELIVERABLE"].includes(delivery)) {
      assert.ok(notice.settledAt && notice.sealedRecipient === null, `${kind} is settled`);
      continue;
    }
    const isWaiting = kind === "ERASED" && status === "IN_PROGRESS";
    assert.equal(delivery, isWaiting ? "WAITING" : "DUE", `${kind} while ${status}`);
    assert.equal(
      notice.sealedRecipient !== null,
      subject?.anonymizedAt !== null,
      `the recipient of ${kind} is sealed by an erasure of the subject`,
    );
    assert.ok(noticeDueAt <= dueAt, `${kind} is due with the request`);
    const timers = await admin`select name from timers where actor_id = ${noticeId} order by name`;
    assert.equal(timers.length, isWaiting ? 0 : 2, "it is published again, and expires");
    const messages = await admin`
      select payload from outbox where topic = 'gdpr.notice_due' and payload->>'noticeId' = ${noticeId}`;
    assert.equal(messages.length, isWaiting ? 0 : attempts);
    for (const { payload } of messages) {
      assert.deepEqual(Object.keys(payload).sort(), [
        "attempt",
        "customerId",
        "eventId",
        "kind",
        "noticeId",
        "occurredAt",
        "requestId",
        "storeId",
        "traceId",
      ]);
    }
  }
}

const isFulfilled = (outcome: string | null) =>
  outcome === "FULFILLED" || outcome === "FULFILLED_WITH_WAIVERS";
const isBeforeCheck = (phase: string) =>
  ["PENDING.identifying", "PENDING.waiting_for_information"].includes(phase);

/** Proposals are open exactly in the states that wait for a second person. */
function assertProposals(
  { proposals }: RequestContext,
  phase: string,
  regions: Record<string, string>,
): void {
  if (phase.startsWith("COMPLETED")) return;
  const waiting = Object.keys(regions).filter((service) => regions[service] === "waiver_proposed");
  assert.deepEqual(
    Object.keys(proposals).sort(),
    phase === "PENDING.proposed" || (isBeforeCheck(phase) && proposals[THE_ERASURE])
      ? [THE_ERASURE]
      : waiting.sort(),
    phase,
  );
}

/** Either nothing has changed, or all personal values are cleared and all events are published. */
async function assertErasure(
  admin: Sql,
  { requestId, customerId, status, outcome }: Record<string, unknown>,
  topics: string[],
): Promise<void> {
  const isFulfilled = outcome === "FULFILLED" || outcome === "FULFILLED_WITH_WAIVERS";
  const isErased = status === "IN_PROGRESS" || isFulfilled;
  const [subject] = await admin`
    select anonymized_at, email is null as empty from customers where customer_id = ${customerId as string}
    union all select anonymized_at, sealed_contact is null from guests where customer_id = ${customerId as string}`;
  assert.ok(subject);
  if (!isErased && subject.anonymizedAt !== null) {
    const others = await admin`
      select from gdpr_requests where customer_id = ${customerId as string} and type = 'ERASURE'
        and request_id <> ${requestId as string} and cleared is not null`;
    assert.ok(others.length > 0, "another request has erased the customer");
    return;
  }
  assert.equal(subject.anonymizedAt !== null, isErased, "anonymized when the erasure starts");
  assert.equal(subject.empty, isErased);
  const [remaining] = await admin`
    select count(coalesce(line1, line2, city, state, country, postal_code))::int as count
    from customer_addresses where customer_id = ${customerId as string}`;
  if (isErased) assert.equal(remaining?.count, 0);
  const remembered = await admin`select 1 from erased_subjects where customer_id = ${customerId as string}`;
  assert.equal(remembered.length, isErased ? 1 : 0, "the erasure memory");
  assert.equal(topics.includes("customer.erasure_requested"), isErased);
  assert.equal(topics.filter((topic) => topic === "customer.erased").length, isFulfilled ? 1 : 0);

  const receipts = await admin`
    select document from erasure_receipts where request_id = ${requestId as string}`;
  assert.equal(receipts.length, isFulfilled ? 1 : 0);
  if (isErased) {
    const unidentified = await admin`
      select from gdpr_requests
      where customer_id = ${customerId as string} and status <> 'COMPLETED' and identified_at is null`;
    assert.equal(unidentified.length, 0, "no request waits for the identity of an erased person");
    const available = await admin`
      select 1 from gdpr_requests
      where customer_id = ${customerId as string} and snapshot->'value'->>'COMPLETED' = 'available'`;
    assert.equal(available.length, 0, "no documents are available after an erasure");
  }
  const participants = await admin`
    select service, state from gdpr_participants where request_id = ${requestId as string} order by service`;
  for (const { document } of receipts) {
    const listed = document.participants.map(({ service, state }: Record<string, unknown>) => ({
      service,
      state,
    }));
    assert.deepEqual(listed, participants.map((row) => ({ ...row })));
    assert.equal(document.rescan.residue, 0);
    assert.equal(document.outcome, outcome);
  }
}
