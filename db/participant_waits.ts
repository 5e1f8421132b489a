/** Participants that open requests wait for, with the calls to them. */
import type { ReadSql } from "./store_reader.ts";

/** A participant that has not answered yet. */
export interface ParticipantWait {
  requestId: string;
  service: string;
  state: "ASKED" | "RETRYING" | "OVERDUE";
  /** Number of calls since the first one or the last manual retry. */
  attempts: number;
  /** Code of the last failure, such as UNREACHABLE; null: no call has failed. */
  failure: string | null;
  /** Null: it is being asked, or is not asked again automatically. */
  nextAttemptAt: Date | null;
  /** When the request began to wait; null: the journal does not contain it. */
  since: Date | null;
  /** Time of the last failed call; null without one. */
  failedAt: Date | null;
}

/** Returns the participants that requests wait for, by request and name. */
export async function findWaits(
  sql: ReadSql,
  storeId: string,
  requestIds: readonly string[],
): Promise<ParticipantWait[]> {
  if (requestIds.length === 0) return [];
  return await sql<ParticipantWait[]>`
    select p.request_id, p.service, p.state, p.attempts, p.last_error as failure, p.next_attempt_at, calls.since,
      calls.failed_at
    from gdpr_participants p
    join gdpr_requests r using (store_id, request_id)
    cross join lateral (
      select min(e.at) filter (where starts_with(e.state_after, '{"IN_PROGRESS":')) as since,
        max(e.at) filter (where e.event_type = 'source.failed' and e.about = p.service) as failed_at
      from actor_events e
      where e.store_id = p.store_id and e.actor_kind = 'gdpr_request' and e.actor_id = p.request_id) as calls
    where p.store_id = ${storeId} and p.request_id = any(${requestIds as string[]}::uuid[])
      and p.state in ('ASKED', 'RETRYING', 'OVERDUE') and r.status <> 'COMPLETED'
    order by p.request_id, p.service`;
}
