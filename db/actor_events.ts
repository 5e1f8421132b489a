/** The journal. */
import type { Tx } from "./connect.ts";

/** An accepted event. States are the machine's, a nested one as JSON. */
export interface ActorEventRow {
  storeId: string;
  actorKind: string;
  actorId: string;
  /** The actor's version after the event. */
  sequence: number;
  eventType: string;
  /** Null for the event that made the actor. */
  stateBefore: string | null;
  stateAfter: string;
  principalId: string;
  principalType: string;
  changedFields: readonly string[];
  at: Date;
}

export async function insertActorEvent(tx: Tx, row: ActorEventRow): Promise<void> {
  await tx`insert into actor_events ${tx(row as unknown as Record<string, string>)}`;
}
