/** Search over the GDPR requests of a store, one page at a time. */
import type { GdprRequestRow, ParticipantRow } from "./gdpr_requests.ts";
import type { NoticeDelivery } from "../domain/notices.ts";
import { isFailing } from "./actor_work.ts";
import type { ReadSql } from "./store_reader.ts";

/** Request of a list. */
export interface FoundRequest extends
  Pick<
    GdprRequestRow,
    | "requestId"
    | "customerId"
    | "isGuest"
    | "type"
    | "status"
    | "outcome"
    | "createdAt"
    | "receivedAt"
    | "channel"
    | "identifiedAt"
    | "informationRequestedAt"
    | "completedAt"
    | "dueAt"
    | "requestedBy"
    | "machine"
    | "version"
    | "fetchedAt"
    | "fetchWaitEndsAt"
  > {
  /** State of the machine; null where the snapshot has a form without one. */
  state: unknown;
  /** Held by staff before its work began. */
  held: boolean;
  /** A second person has to confirm or reject a proposal. */
  proposed: boolean;
  /** Participants by name; empty until the work begins. */
  participants: Pick<ParticipantRow, "service" | "state">[];
  /** Notices to the customer, without an order; times in ISO 8601. */
  notices: { delivery: NoticeDelivery; dueAt: string }[];
}

/** Filter; an absent field matches every request. */
export interface RequestFilter {
  types?: readonly GdprRequestRow["type"][] | undefined;
  statuses?: readonly GdprRequestRow["status"][] | undefined;
  outcomes?: readonly NonNullable<GdprRequestRow["outcome"]>[] | undefined;
  customerId?: string | undefined;
  customerIds?: readonly string[] | undefined;
  requestIds?: readonly string[] | undefined;
  /** Open, and its identity has not been checked (true) or has (false). */
  unidentified?: boolean | undefined;
  /** True: open and due before `now`, and the clock is not paused. */
  overdue?: boolean | undefined;
  /** Open, and due from `now` until this time, and the clock is not paused. */
  dueUntil?: Date | undefined;
  receivedFrom?: Date | undefined;
  /** Exclusive upper bound. */
  receivedBefore?: Date | undefined;
  /** Lower bound of the due date, of open and completed requests. */
  dueFrom?: Date | undefined;
  /** Exclusive upper bound of the due date, of open and completed requests. */
  dueBefore?: Date | undefined;
  /** Open, and held by staff. */
  held?: true | undefined;
  /** Open, with a proposal that a second person has to confirm or reject. */
  proposed?: true | undefined;
  /** Completed, with documents that the customer can download and has not fetched. */
  isUnfetched?: true | undefined;
  /** An erasure that waits for the customer's download. */
  waitsForDownload?: true | undefined;
  /** Participant that was asked and has not responded yet. */
  waitingFor?: string | undefined;
  /** With a notice to the customer that is due, could not be delivered or has expired. */
  undelivered?: true | undefined;
  /**
   * Open and stuck: a participant does not respond, a timer or an effect fails repeatedly or was given up, or a re-scan
   * found values.
   */
  stuck?: true | undefined;
}

/** DUE: open requests, the most urgent first, then completed ones. NEWEST and OLDEST: by creation time. */
export type RequestOrder = "NEWEST" | "OLDEST" | "DUE";

/**
 * Cursor of a page: the request after which it begins, by its createdAt or, in the order DUE, its dueAt; and
 * its ID.
 */
export interface RequestPosition {
  at: Date;
  requestId: string;
  /** In the order DUE: whether the request is open. */
  completed?: boolean;
}

export interface RequestSearch {
  storeId: string;
  filter: RequestFilter;
  /** Decides what is overdue. */
  now: Date;
}

export interface SearchPage {
  order: RequestOrder;
  limit: number;
  after?: RequestPosition | undefined;
}

export async function searchRequests(
  sql: ReadSql,
  { storeId, filter, now }: RequestSearch,
  { order, limit, after }: SearchPage,
): Promise<FoundRequest[]> {
  return await sql<FoundRequest[]>`
    select request_id, customer_id, is_guest, type, status, outcome, created_at, completed_at, due_at, requested_by,
      machine, version, snapshot -> 'value' as state, ${isHeld(sql)} as held, fetched_at, fetch_wait_ends_at,
      received_at, channel, identified_at, information_requested_at,
      ${isProposed(sql)} as proposed,
      (select coalesce(jsonb_agg(jsonb_build_object('service', p.service, 'state', p.state) order by p.service), '[]')
       from gdpr_participants p where p.store_id = r.store_id and p.request_id = r.request_id) as participants,
      (select coalesce(jsonb_agg(jsonb_build_object('delivery', n.delivery, 'dueAt', n.due_at)), '[]')
       from gdpr_notices n where n.store_id = r.store_id and n.request_id = r.request_id) as notices
    from gdpr_requests r
    where ${matching(sql, storeId, filter, now)} ${behind(sql, order, after)}
    order by ${inOrder(sql, order)} limit ${limit}`;
}

/** Held by staff; an index has the same expression. */
const isHeld = (sql: ReadSql) => sql`(r.snapshot -> 'value' ->> 'PENDING') is not distinct from 'held'`;

/** Open, and not waiting for information from the person. */
const hasRunningClock = (sql: ReadSql) =>
  sql`(r.status <> 'COMPLETED' and r.information_requested_at is null)`;

/** With a proposal; an index has the same expression. */
const isProposed = (sql: ReadSql) =>
  sql`(r.status <> 'COMPLETED' and coalesce((r.snapshot #> '{context,proposals}') <> '{}'::jsonb, false))`;

/** Returns the condition of a filter, on gdpr_requests r. */
export function matching(sql: ReadSql, storeId: string, filter: RequestFilter, now: Date) {
  const {
    types,
    statuses,
    outcomes,
    customerId,
    customerIds,
    requestIds,
    receivedFrom,
    receivedBefore,
    dueFrom,
    dueBefore,
    overdue,
    dueUntil,
    held,
    waitingFor,
    stuck,
    proposed,
    waitsForDownload,
    isUnfetched,
    undelivered,
    unidentified,
  } = filter;
  return sql`r.store_id = ${storeId}
    ${types ? sql`and r.type = any(${types as string[]})` : sql``}
    ${statuses ? sql`and r.status = any(${statuses as string[]})` : sql``}
    ${outcomes ? sql`and r.outcome = any(${outcomes as string[]})` : sql``}
    ${customerId === undefined ? sql`` : sql`and r.customer_id = ${customerId}`}
    ${customerIds ? sql`and r.customer_id = any(${customerIds as string[]}::uuid[])` : sql``}
    ${requestIds ? sql`and r.request_id = any(${requestIds as string[]}::uuid[])` : sql``}
    ${receivedFrom ? sql`and r.received_at >= ${receivedFrom}` : sql``}
    ${receivedBefore ? sql`and r.received_at < ${receivedBefore}` : sql``}
    ${dueFrom ? sql`and r.due_at >= ${dueFrom}` : sql``}
    ${dueBefore ? sql`and r.due_at < ${dueBefore}` : sql``}
    ${overdue === true ? sql`and ${hasRunningClock(sql)} and r.due_at < ${now}` : sql``}
    ${overdue === false ? sql`and not (${hasRunningClock(sql)} and r.due_at < ${now})` : sql``}
    ${dueUntil ? sql`and ${hasRunningClock(sql)} and r.due_at between ${now} and ${dueUntil}` : sql``}
    ${
    unidentified === undefined
      ? sql``
      : sql`and r.status <> 'COMPLETED' and (r.identified_at is null) = ${unidentified}`
  }
    ${held ? sql`and ${isHeld(sql)}` : sql``}
    ${
    proposed
      ? sql`and r.status <> 'COMPLETED' and (r.snapshot #> '{context,proposals}') <> '{}'::jsonb`
      : sql``
  }
    ${
    isUnfetched
      ? sql`and r.status = 'COMPLETED' and r.snapshot -> 'value' ->> 'COMPLETED' = 'available'`
      : sql``
  }
    ${
    undelivered
      ? sql`and exists (
      select from gdpr_notices n
      where n.store_id = r.store_id and n.request_id = r.request_id and n.delivery in ('DUE', 'EXPIRED', 'UNDELIVERABLE'))`
      : sql``
  }
    ${waitsForDownload ? sql`and r.status = 'PENDING' and r.fetch_wait_ends_at is not null` : sql``}
    ${
    waitingFor === undefined ? sql`` : sql`and r.status <> 'COMPLETED' and exists (
      select from gdpr_participants w
      where w.store_id = r.store_id and w.request_id = r.request_id and w.service = ${waitingFor}
        and w.state in ('ASKED', 'RETRYING', 'OVERDUE'))`
  }
    ${stuck ? sql`and r.status <> 'COMPLETED' and r.request_id in (${stuckRequests(sql, storeId)})` : sql``}`;
}

/** Each branch uses an index that holds stuck rows and little else. */
function stuckRequests(sql: ReadSql, storeId: string) {
  return sql`
    select p.request_id from gdpr_participants p
    where p.store_id = ${storeId} and p.state in ('RETRYING', 'OVERDUE')
    union all
    select e.actor_id from effects e
    where e.store_id = ${storeId} and e.actor_kind = 'gdpr_request' and e.state = 'POISONED'
      and ${isStillGivenUp(sql)}
    union all
    select a.actor_id from effects a
    where a.store_id = ${storeId} and a.actor_kind = 'gdpr_request' and a.state = 'PENDING' and ${
    isFailing(sql)
  }
    union all
    select t.actor_id from timers t
    where t.store_id = ${storeId} and t.actor_kind = 'gdpr_request' and ${isFailing(sql)}
    union all
    select f.request_id from gdpr_requests f
    where f.store_id = ${storeId} and f.status = 'IN_PROGRESS'
      and (f.snapshot -> 'value' ->> 'IN_PROGRESS') = 'residue_found'`;
}

/** Of a given up effect e: no one has retried it since, and its participant is not done. */
function isStillGivenUp(sql: ReadSql) {
  return sql`not exists (
      select from effects later
      where later.store_id = e.store_id and later.actor_kind = e.actor_kind and later.actor_id = e.actor_id
        and later.type = e.type and later.params = e.params and later.created_at > e.created_at)
    and not exists (
      select from gdpr_participants s
      where s.store_id = e.store_id and s.request_id = e.actor_id and s.service = e.params ->> 'service'
        and s.state in ('RECEIVED', 'CONFIRMED', 'WAIVED'))`;
}

/** Stuck request, with the cause. */
export interface StuckRequest extends GdprRequestRow {
  /** Participants that do not respond, or whose effects were given up; by name. */
  services: string[];
  /** Whether an effect after all participants was given up, or found values that should be gone. */
  behind: boolean;
}

/** Returns the stuck requests, the most urgent first, in the order of the search. */
export async function findStuckRequests(
  sql: ReadSql,
  { storeId, filter, now }: RequestSearch,
  limit: number,
): Promise<StuckRequest[]> {
  return await sql<StuckRequest[]>`
    select r.*,
      array(
        select p.service from gdpr_participants p
        where p.store_id = r.store_id and p.request_id = r.request_id and p.state in ('RETRYING', 'OVERDUE')
        union
        select e.params ->> 'service' from effects e where ${isPoisonedOf(sql)} and e.params ? 'service'
        order by 1) as services,
      ${hasResidue(sql)} or exists (
        select from effects e where ${isPoisonedOf(sql)} and not e.params ? 'service') as behind
    from gdpr_requests r
    where ${matching(sql, storeId, { ...filter, stuck: true }, now)}
    order by ${inOrder(sql, "DUE")} limit ${limit}`;
}

const isPoisonedOf = (sql: ReadSql) =>
  sql`e.store_id = r.store_id and e.actor_kind = 'gdpr_request' and e.actor_id = r.request_id
    and e.state = 'POISONED' and ${isStillGivenUp(sql)}`;

const hasResidue = (sql: ReadSql) =>
  sql`(r.status = 'IN_PROGRESS' and (r.snapshot -> 'value' ->> 'IN_PROGRESS') = 'residue_found')`;

function inOrder(sql: ReadSql, order: RequestOrder) {
  switch (order) {
    case "NEWEST":
      return sql`r.created_at desc, r.request_id desc`;
    case "OLDEST":
      return sql`r.created_at, r.request_id`;
    case "DUE":
      return sql`(r.status = 'COMPLETED'), r.due_at, r.request_id`;
  }
}

function behind(sql: ReadSql, order: RequestOrder, after: RequestPosition | undefined) {
  if (!after) return sql``;
  const { at, requestId, completed = false } = after;
  switch (order) {
    case "NEWEST":
      return sql`and (r.created_at, r.request_id) < (${at}, ${requestId})`;
    case "OLDEST":
      return sql`and (r.created_at, r.request_id) > (${at}, ${requestId})`;
    case "DUE":
      return sql`and ((r.status = 'COMPLETED'), r.due_at, r.request_id) > (${completed}, ${at}, ${requestId})`;
  }
}
