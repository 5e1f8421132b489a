/** Reads the data of a request's page from one database snapshot. */
import { THE_ERASURE } from "../../actors/gdpr/machines/events.ts";
import { publicRow } from "../../actors/gdpr/requests/public_events.ts";
import type { AvailableDecision } from "../../actors/gdpr/requests/available_decisions.ts";
import type { Principal } from "../../domain/principal.ts";
import type { ActorEventRow } from "../../db/actor_events.ts";
import {
  findEvent,
  findLastReason,
  findStateChanges,
  findStateSince,
  type StateChange,
  type SummarizedEvent,
  summarizeJournal,
} from "../../db/actor_history.ts";
import { findOpenEffects, findTimers, type OpenEffect, type WaitingTimer } from "../../db/actor_work.ts";
import {
  findParticipants,
  findRequest,
  type GdprRequestRow,
  type ParticipantRow,
} from "../../db/gdpr_requests.ts";
import { findWaits, type ParticipantWait } from "../../db/participant_waits.ts";
import { findNotices, type NoticeOfRequest } from "../../db/gdpr_notices.ts";
import { type FoundRequest, type RequestFilter, searchRequests } from "../../db/gdpr_search.ts";
import { findRequestFingerprint } from "../../db/request_fingerprint.ts";
import { type CausedMessage, findCausedMessages } from "../../db/request_messages.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { parseState } from "../chart/value.ts";
import { EVENTS, readLines } from "../timeline/read.ts";
import type { TimelineLine } from "../timeline/runs.ts";
import { phaseOf, phasePrefix, type RequestStatus } from "./status.ts";
import { readSnapshot, type StoredSnapshot } from "./snapshot.ts";
import { abandonedEffects, effectLabel, failingWork } from "./work_labels.ts";

/** Maximum number of messages on the page. */
export const MESSAGES = 100;

/** Maximum number of changes of state to step through. */
export const STATE_CHANGES = 500;

/** Maximum number of requests that an erasure waits for: one open request of each of two types. */
const MAX_BLOCKING = 2;

/** Parameters of the page. */
export interface RequestView {
  requestId: string;
  /** Sequence of the event after which the request is shown; undefined: the present. */
  at: number | undefined;
  /** Sequence of the newest event on the timeline's page; undefined: the last event. */
  upTo: number | undefined;
  /** Whether the chart draws every state; otherwise it folds the groups that the request is not in. */
  isWhole: boolean;
  /** Decision whose form is open; undefined: none. */
  chosen?: AvailableDecision | undefined;
}

export interface RequestReading {
  /** Text that changes whenever this data changes. */
  fingerprint: string;
  row: GdprRequestRow;
  snapshot: StoredSnapshot;
  status: RequestStatus;
  participants: ParticipantRow[];
  timers: WaitingTimer[];
  effects: OpenEffect[];
  /** Newest first; MESSAGES + 1 if there are more. */
  messages: CausedMessage[];
  /** Journal up to `moment`, for the chart. */
  summary: SummarizedEvent[];
  /** The newest changes of the request's state, in ascending order. */
  changes: StateChange[];
  /** Page of the timeline, newest first. */
  lines: TimelineLine[];
  /** Event that the page shows; undefined: the present. */
  moment: ActorEventRow | undefined;
  /** Event that opened the request; undefined if the journal lacks it. */
  openedBy: ActorEventRow | undefined;
  /** Reason of the last hold up to `moment`. */
  holdReason: string | null;
  /** Requests of the same customer that must be closed, or whose documents must be fetched, first. */
  blockingRequests: FoundRequest[];
  /** Notices to the customer, oldest first. */
  notices: NoticeOfRequest[];
  /** Participants that have not answered. */
  waits: ParticipantWait[];
}

/** Requests that an erasure waits for, by its phase. */
const BLOCKING: Readonly<Record<string, RequestFilter>> = {
  "PENDING.waiting_for_access": {
    types: ["ACCESS", "PORTABILITY"],
    statuses: ["PENDING", "IN_PROGRESS"],
    unidentified: false,
  },
  "PENDING.waiting_for_download": { isUnfetched: true },
};

/** @returns undefined if the request or the event does not exist in the store */
export async function readRequest(
  reader: StoreReader,
  by: Principal,
  { requestId, at, upTo }: RequestView,
  now: Date,
): Promise<RequestReading | undefined> {
  const { storeId } = by;
  const key = { storeId, actorKind: "gdpr_request", actorId: requestId };
  return await reader.read(storeId, async (sql) => {
    const [fingerprint, row, openedBy, shown] = await Promise.all([
      findRequestFingerprint(sql, storeId, requestId),
      findRequest(sql, storeId, requestId),
      findEvent(sql, key, 1),
      at === undefined ? undefined : findEvent(sql, key, at),
    ]);
    if (fingerprint === undefined || !row || (at !== undefined && !shown)) return undefined;
    const moment = shown && publicRow(shown);
    const snapshot = readSnapshot(row, by, now);
    const state = moment ? parseState(moment.stateAfter) : snapshot.state;
    const until = at ?? row.version;
    const newest = upTo ?? Math.min(row.version, at === undefined ? row.version : at + EVENTS / 2);
    const { customerId } = row;
    const blocking = moment ? undefined : BLOCKING[phaseOf(state)];
    const [
      participants,
      timers,
      effects,
      messages,
      summary,
      changes,
      lines,
      holdReason,
      since,
      blockingRequests,
      notices,
      waits,
    ] = await Promise
      .all([
        findParticipants(sql, storeId, requestId),
        findTimers(sql, key),
        findOpenEffects(sql, key),
        findCausedMessages(sql, { storeId, customerId, requestId }, MESSAGES + 1),
        summarizeJournal(sql, key, until),
        findStateChanges(sql, key, STATE_CHANGES),
        readLines(sql, key, { upTo: newest, shown: at }),
        findLastReason(sql, key, "hold", until),
        findStateSince(sql, key, phasePrefix(state), until),
        blocking
          ? searchRequests(
            sql,
            { storeId, filter: { ...blocking, customerId }, now },
            { order: "OLDEST", limit: MAX_BLOCKING },
          )
          : [],
        findNotices(sql, storeId, [requestId]),
        findWaits(sql, storeId, [requestId]),
      ]);
    const reading = {
      fingerprint,
      row,
      snapshot,
      participants,
      timers,
      effects,
      messages,
      summary,
      changes: changes.map(publicRow),
      lines,
      moment,
      openedBy,
      holdReason,
      blockingRequests,
      notices,
      waits,
    };
    const present = currentStatus(reading, since ?? row.createdAt, now);
    return { ...reading, status: moment ? pastStatus(present, reading, moment) : present };
  });
}

function currentStatus(
  { row, snapshot: { state, context, unreadable }, effects, timers, participants, waits }: Omit<
    RequestReading,
    "status"
  >,
  since: Date,
  now: Date,
): RequestStatus {
  return {
    state,
    since,
    now,
    startsAt: context.startsAt === undefined ? undefined : new Date(context.startsAt),
    dueAt: row.dueAt,
    outcome: row.outcome,
    completedAt: row.completedAt,
    proposer: context.proposals[THE_ERASURE],
    fetchWaitEndsAt: row.fetchWaitEndsAt,
    expiresAt: context.expiresAt === undefined ? undefined : new Date(context.expiresAt),
    isHeldByCustomer: context.heldBy === "CUSTOMER",
    identityFailures: row.identityFailures,
    clockPausedSince: row.informationRequestedAt,
    reasons: {
      hold: row.holdReason,
      information: row.informationReason,
      refusal: row.refusalReason,
      cancellation: row.cancellationReason,
    },
    residue: context.residue,
    attempts: Object.fromEntries(
      participants.map(({ service, attempts }) => [service, context.asked[service] ?? attempts]),
    ),
    calls: Object.fromEntries(waits.map((wait) => [wait.service, wait])),
    abandonedEffects: abandonedEffects(effects, state).map(effectLabel),
    failingWork: failingWork(timers, effects),
    unreadable,
  };
}

/** Status after a past event. Omits values that only the row contains, because they may have changed since. */
function pastStatus(
  present: RequestStatus,
  { row, snapshot: { context, machine }, holdReason }: Omit<RequestReading, "status">,
  { stateAfter, at }: ActorEventRow,
): RequestStatus {
  const dueAt = context.dueDates.findLast(({ since }) => since <= at.getTime())?.dueAt;
  return {
    ...present,
    state: parseState(stateAfter),
    now: at,
    dueAt: dueAt === undefined ? row.dueAt : new Date(dueAt),
    isHeldByCustomer: false,
    reasons: { ...present.reasons, hold: holdReason },
    proposer: undefined,
    fetchWaitEndsAt: null,
    identityFailures: 0,
    clockPausedSince: phaseOf(parseState(stateAfter)) === "PENDING.waiting_for_information" ? at : null,
    residue: undefined,
    attempts: {},
    calls: {},
    abandonedEffects: [],
    failingWork: [],
    unreadable: machine ? undefined : present.unreadable,
  };
}
