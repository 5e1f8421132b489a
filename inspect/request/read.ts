/** Reads what the page of a request shows, all of one moment of the database. */
import { dueDate } from "../../actors/gdpr/requests/clock.ts";
import { publicRow } from "../../actors/gdpr/requests/public_events.ts";
import type { Principal } from "../../domain/principal.ts";
import type { ActorEventRow } from "../../db/actor_events.ts";
import {
  findEvent,
  findLastReason,
  findStateSince,
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
import { type FoundRequest, searchRequests } from "../../db/gdpr_search.ts";
import { findRequestFingerprint } from "../../db/request_fingerprint.ts";
import { type CausedMessage, findCausedMessages } from "../../db/request_messages.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { parseState } from "../chart/value.ts";
import { EVENTS, readLines } from "../timeline/read.ts";
import type { Line } from "../timeline/runs.ts";
import { phaseOf, phasePrefix, type Standing } from "./standing.ts";
import { readStored, type Stored } from "./stored.ts";
import { effectWords, givenUp } from "./work_words.ts";

/** Messages that are shown at most. */
export const MESSAGES = 100;

/** Requests that another one waits for: of each type there is one that is open. */
const WAITED_FOR = 2;

/** What a page is asked for. */
export interface View {
  requestId: string;
  /** The sequence of the event after which it is shown; undefined for the present. */
  at: number | undefined;
  /** The sequence of the newest event of the timeline's page. */
  upTo: number | undefined;
}

export interface RequestReading {
  /** Changes with what is read here. */
  fingerprint: string;
  row: GdprRequestRow;
  stored: Stored;
  standing: Standing;
  participants: ParticipantRow[];
  timers: WaitingTimer[];
  effects: OpenEffect[];
  /** One more than are shown where there are more. */
  messages: CausedMessage[];
  /** The journal up to the moment, for the chart. */
  summary: SummarizedEvent[];
  /** A page of the timeline, newest first. */
  lines: Line[];
  /** The event that the page is about; undefined for the present. */
  moment: ActorEventRow | undefined;
  /** The event that has made the request; undefined where the journal lacks it. */
  birth: ActorEventRow | undefined;
  /** Why it was put on hold the last time, up to the moment. */
  heldFor: string | null;
  /** The same customer's requests that have to be closed before it goes on. */
  waitsFor: FoundRequest[];
}

/** @returns undefined where the store has no such request, and where the view is of an event that it does not have */
export async function readRequest(
  reader: StoreReader,
  by: Principal,
  { requestId, at, upTo }: View,
  now: Date,
): Promise<RequestReading | undefined> {
  const { storeId } = by;
  const key = { storeId, actorKind: "gdpr_request", actorId: requestId };
  return await reader.read(storeId, async (sql) => {
    const [fingerprint, row, birth, shown] = await Promise.all([
      findRequestFingerprint(sql, storeId, requestId),
      findRequest(sql, storeId, requestId),
      findEvent(sql, key, 1),
      at === undefined ? undefined : findEvent(sql, key, at),
    ]);
    if (fingerprint === undefined || !row || (at !== undefined && !shown)) return undefined;
    const moment = shown && publicRow(shown);
    const stored = readStored(row, by, now);
    const state = moment ? parseState(moment.stateAfter) : stored.state;
    const until = at ?? row.version;
    const newest = upTo ?? Math.min(row.version, at === undefined ? row.version : at + EVENTS / 2);
    const { customerId } = row;
    const waits = !moment && phaseOf(state) === "PENDING.waiting_for_access";
    const before = {
      customerId,
      types: ["ACCESS", "PORTABILITY"],
      statuses: ["PENDING", "IN_PROGRESS"],
    } as const;
    const [participants, timers, effects, messages, summary, lines, heldFor, since, waitsFor] = await Promise
      .all([
        findParticipants(sql, storeId, requestId),
        findTimers(sql, key),
        findOpenEffects(sql, key),
        findCausedMessages(sql, { storeId, customerId, requestId }, MESSAGES + 1),
        summarizeJournal(sql, key, until),
        readLines(sql, key, { upTo: newest, shown: at }),
        findLastReason(sql, key, "hold", until),
        findStateSince(sql, key, phasePrefix(state), until),
        waits
          ? searchRequests(sql, { storeId, filter: before, now }, { order: "OLDEST", limit: WAITED_FOR })
          : [],
      ]);
    const reading = {
      fingerprint,
      row,
      stored,
      participants,
      timers,
      effects,
      messages,
      summary,
      lines,
      moment,
      birth,
      heldFor,
      waitsFor,
    };
    const present = standingNow(reading, since ?? row.createdAt, now);
    return { ...reading, standing: moment ? standingThen(present, reading, moment) : present };
  });
}

function standingNow(
  { row, stored: { state, context, unreadable }, effects, participants }: Omit<RequestReading, "standing">,
  since: Date,
  now: Date,
): Standing {
  return {
    state,
    since,
    now,
    startsAt: context.startsAt === undefined ? undefined : new Date(context.startsAt),
    dueAt: row.dueAt,
    outcome: row.outcome,
    reasons: { hold: row.holdReason, refusal: row.refusalReason },
    residue: context.residue,
    asked: Object.fromEntries(
      participants.map(({ service, attempts }) => [service, context.asked[service] ?? attempts]),
    ),
    givenUp: givenUp(effects, state).map(effectWords),
    unreadable,
  };
}

/** The journal tells states and times. What only the row tells, and may have changed since, is left out. */
function standingThen(
  present: Standing,
  { row, stored: { context, machine }, summary, heldFor }: Omit<RequestReading, "standing">,
  { stateAfter, at }: ActorEventRow,
): Standing {
  const extended = summary.some(({ eventType }) => eventType === "extend");
  return {
    ...present,
    state: parseState(stateAfter),
    now: at,
    dueAt: context.extended && !extended ? dueDate(row.createdAt) : row.dueAt,
    reasons: { ...present.reasons, hold: heldFor },
    residue: undefined,
    asked: {},
    givenUp: [],
    unreadable: machine ? undefined : present.unreadable,
  };
}
