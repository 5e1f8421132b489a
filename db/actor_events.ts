/** Rows of the journal: the accepted events of every actor. */
import type { ReadSql } from "./store_reader.ts";

/** An accepted event. States are the machine's, a nested one as JSON. */
export interface ActorEventRow {
  storeId: string;
  actorKind: string;
  actorId: string;
  /** Number of the event in the actor's journal, from 1. */
  sequence: number;
  eventType: string;
  /** Null for the event that created the actor. */
  stateBefore: string | null;
  stateAfter: string;
  principalId: string;
  principalType: "CUSTOMER" | "STAFF" | "SYSTEM";
  /** Service of a SYSTEM principal. Null: this service itself, or an earlier version wrote the row. */
  principalService: string | null;
  changedFields: readonly string[];
  /** Reason for the customer, in free text; null without one, and after the customer's erasure. */
  reason: string | null;
  /** Whether the principal gave a reason, also after an erasure has removed it. */
  reasonGiven: boolean;
  /** Note for other staff, in free text; null without one, and after the customer's erasure. */
  note: string | null;
  /** Whether the principal wrote a note, also after an erasure has removed it. */
  noteGiven: boolean;
  at: Date;
  /**
   * Participant or document that the event was about. Null: the actor as a whole, or unknown where `transitions` is null.
   */
  about: string | null;
  /**
   * Transitions that the machine took, by the names of `transitionName`. Null: an earlier version wrote the
   * row.
   */
  transitions: readonly string[] | null;
  /** Code of the failed call to a participant, such as UNREACHABLE. Null for other events. */
  failure: string | null;
}

export interface ActorKey {
  storeId: string;
  actorKind: string;
  actorId: string;
}

/** Returns the journal of an actor in order: at most `limit` events after a sequence number. */
export async function findJournal(
  sql: ReadSql,
  { storeId, actorKind, actorId }: ActorKey,
  { after = 0, limit }: { after?: number; limit: number },
): Promise<ActorEventRow[]> {
  return await sql<ActorEventRow[]>`
    select store_id, actor_kind, actor_id, sequence, event_type, state_before, state_after, principal_id,
      principal_type, principal_service, changed_fields, reason, reason_given, note, note_given, at, about,
      transitions, failure
    from actor_events
    where store_id = ${storeId} and actor_kind = ${actorKind} and actor_id = ${actorId} and sequence > ${after}
    order by sequence limit ${limit}`;
}
