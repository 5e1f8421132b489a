/** Searches the requests of a store, page by page. */
import type { Sql } from "./connect.ts";
import type { GdprRequestRow, ParticipantRow } from "./gdpr_requests.ts";

/** A request in a list. */
export interface FoundRequest extends
  Pick<
    GdprRequestRow,
    | "requestId"
    | "customerId"
    | "type"
    | "status"
    | "outcome"
    | "createdAt"
    | "completedAt"
    | "dueAt"
    | "requestedBy"
    | "machine"
    | "version"
  > {
  /** Held back by staff before its work has begun. */
  held: boolean;
  /** By name; empty until the work begins. */
  participants: Pick<ParticipantRow, "service" | "state">[];
}

/** What a request has to be; whatever is absent does not matter. */
export interface RequestFilter {
  types?: readonly GdprRequestRow["type"][] | undefined;
  statuses?: readonly GdprRequestRow["status"][] | undefined;
  outcomes?: readonly NonNullable<GdprRequestRow["outcome"]>[] | undefined;
  customerId?: string | undefined;
  /** True: open and due before `now`. */
  overdue?: boolean | undefined;
  /** A service that has been asked and has not answered yet. */
  waitingFor?: string | undefined;
}

/** DUE: the open ones by when they are due; NEWEST: all by when they were made. */
export type RequestOrder = "NEWEST" | "DUE";

/** Behind which request a page begins: its createdAt or dueAt, as the order says, and its id. */
export interface RequestPosition {
  at: Date;
  requestId: string;
}

export interface RequestPage {
  order: RequestOrder;
  limit: number;
  after?: RequestPosition | undefined;
}

/** @param now decides what is overdue */
export async function searchRequests(
  sql: Sql,
  storeId: string,
  filter: RequestFilter,
  { order, limit, after }: RequestPage,
  now: Date,
): Promise<FoundRequest[]> {
  const inOrder = order === "NEWEST" ? sql`created_at desc, request_id desc` : sql`due_at, request_id`;
  return await sql<FoundRequest[]>`
    select request_id, customer_id, type, status, outcome, created_at, completed_at, due_at, requested_by,
      machine, version, snapshot -> 'value' ->> 'PENDING' is not distinct from 'held' as held,
      (select coalesce(jsonb_agg(jsonb_build_object('service', p.service, 'state', p.state) order by p.service), '[]')
       from gdpr_participants p where p.store_id = r.store_id and p.request_id = r.request_id) as participants
    from gdpr_requests r
    where ${matching(sql, storeId, filter, now)} ${order === "DUE" ? sql`and status <> 'COMPLETED'` : sql``}
      ${behind(sql, order, after)}
    order by ${inOrder} limit ${limit}`;
}

/** The condition of a filter, on gdpr_requests r. */
export function matching(
  sql: Sql,
  storeId: string,
  { types, statuses, outcomes, customerId, overdue, waitingFor }: RequestFilter,
  now: Date,
) {
  return sql`r.store_id = ${storeId}
    ${types ? sql`and r.type = any(${types as string[]})` : sql``}
    ${statuses ? sql`and r.status = any(${statuses as string[]})` : sql``}
    ${outcomes ? sql`and r.outcome = any(${outcomes as string[]})` : sql``}
    ${customerId === undefined ? sql`` : sql`and r.customer_id = ${customerId}`}
    ${overdue === true ? sql`and r.status <> 'COMPLETED' and r.due_at < ${now}` : sql``}
    ${overdue === false ? sql`and not (r.status <> 'COMPLETED' and r.due_at < ${now})` : sql``}
    ${
    waitingFor === undefined ? sql`` : sql`and r.status <> 'COMPLETED' and exists (
      select from gdpr_participants w
      where w.store_id = r.store_id and w.request_id = r.request_id and w.service = ${waitingFor}
        and w.state in ('ASKED', 'RETRYING', 'OVERDUE'))`
  }`;
}

function behind(sql: Sql, order: RequestOrder, after: RequestPosition | undefined) {
  if (!after) return sql``;
  return order === "NEWEST"
    ? sql`and (r.created_at, r.request_id) < (${after.at}, ${after.requestId})`
    : sql`and (r.due_at, r.request_id) > (${after.at}, ${after.requestId})`;
}
