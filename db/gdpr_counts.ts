/** Numbers of a store's GDPR requests, by type and state and by what they need. */
import type { GdprRequestRow } from "./gdpr_requests.ts";
import { matching, type RequestSearch } from "./gdpr_search.ts";
import type { ReadSql } from "./store_reader.ts";

export interface RequestCounts {
  /** One entry for each combination that exists. */
  kinds: (Pick<GdprRequestRow, "type" | "status" | "outcome"> & { count: number })[];
  /** Number of open requests past their due date. */
  overdue: number;
  /** Number of open requests that are due from `now` until `dueUntil`. */
  atRisk: number;
  held: number;
  /** Number of open requests with a proposal that a second person has to confirm or reject. */
  proposed: number;
  /** Number of open requests whose identity has to be checked. */
  unidentified: number;
  /** Number of open requests that are stuck, as the filter of that name defines it. */
  stuck: number;
  /** Participants that open requests wait for, by name, with the number of requests. */
  waiting: {
    service: string;
    count: number;
    /** Number of these requests for which a call has failed. */
    failing: number;
    /** Most frequent code of their failures; null without one. */
    failure: string | null;
  }[];
}

/** Maximum of `countMatching`. */
export const MAX_COUNT = 10_000;

/** Returns the number of requests that match a filter, at most MAX_COUNT + 1. */
export async function countMatching(
  sql: ReadSql,
  { storeId, filter, now }: RequestSearch,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from (
      select from gdpr_requests r where ${matching(sql, storeId, filter, now)} limit ${
    MAX_COUNT + 1
  }) as matches`;
  return row?.count ?? 0;
}

/** @param dueUntil a request that is due before it and not overdue is at risk */
export async function countRequests(
  sql: ReadSql,
  storeId: string,
  now: Date,
  dueUntil: Date,
): Promise<RequestCounts> {
  const [kinds, [needs], [stuck], waiting] = await Promise.all([
    sql<RequestCounts["kinds"]>`
      select type, status, outcome, count(*)::int as count from gdpr_requests
      where store_id = ${storeId} group by type, status, outcome`,
    sql<[Pick<RequestCounts, "overdue" | "atRisk" | "held" | "proposed" | "unidentified">]>`
      select
        (select count(*)::int from gdpr_requests
         where store_id = ${storeId} and status <> 'COMPLETED' and due_at < ${now}
           and information_requested_at is null) as overdue,
        (select count(*)::int from gdpr_requests
         where store_id = ${storeId} and status <> 'COMPLETED' and due_at between ${now} and ${dueUntil}
           and information_requested_at is null) as at_risk,
        (select count(*)::int from gdpr_requests
         where store_id = ${storeId} and (snapshot -> 'value' ->> 'PENDING') is not distinct from 'held') as held,
        (select count(*)::int from gdpr_requests
         where store_id = ${storeId} and status <> 'COMPLETED'
           and (snapshot #> '{context,proposals}') <> '{}'::jsonb) as proposed,
        (select count(*)::int from gdpr_requests
         where store_id = ${storeId} and status <> 'COMPLETED' and identified_at is null) as unidentified`,
    sql<[{ stuck: number }]>`
      select count(*)::int as stuck from gdpr_requests r where ${
      matching(sql, storeId, { stuck: true }, now)
    }`,
    sql<RequestCounts["waiting"]>`
      select p.service, count(*)::int as count, count(p.last_error)::int as failing,
        mode() within group (order by p.last_error) filter (where p.last_error is not null) as failure
      from gdpr_participants p join gdpr_requests r using (store_id, request_id)
      where p.store_id = ${storeId} and p.state in ('ASKED', 'RETRYING', 'OVERDUE') and r.status <> 'COMPLETED'
      group by p.service order by p.service`,
  ]);
  return { kinds, ...needs, ...stuck, waiting };
}
