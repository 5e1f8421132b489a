/** Messages that a request has caused, while the outbox keeps them. */
import type { ReadSql } from "./store_reader.ts";

export interface CausedMessage {
  eventId: string;
  topic: string;
  /** Action of an audit event; null for every other message. */
  action: string | null;
  /** Customer of an erasure request; null for every other message. */
  participants: string[] | null;
  /** Columns that a change of the customer has touched; null for every other message. */
  changedFields: string[] | null;
  createdAt: Date;
  /** Null while it waits. */
  publishedAt: Date | null;
}

/**
 * Returns the messages, newest first: those about the request, and those of the same transactions about its
 * customer.
 *
 * @param customerId the key of all of them
 */
export async function findCausedMessages(
  sql: ReadSql,
  { storeId, customerId, requestId }: { storeId: string; customerId: string; requestId: string },
  limit: number,
): Promise<CausedMessage[]> {
  return await sql<CausedMessage[]>`
    with about_customer as materialized (
      select event_id, seq, topic, payload ->> 'action' as action, payload -> 'participants' as participants,
        payload -> 'changedFields' as changed_fields, created_at, published_at,
        payload ->> 'traceId' as trace_id,
        ${requestId} in (payload ->> 'requestId', payload -> 'target' ->> 'id') as about_request
      from outbox where store_id = ${storeId} and key = ${customerId}
    )
    select event_id, topic, action, participants, changed_fields, created_at, published_at from about_customer
    where (trace_id, created_at) in (select trace_id, created_at from about_customer where about_request)
    order by seq desc limit ${limit}`;
}
