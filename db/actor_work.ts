/** Pending work of one actor: its timers, and the effects that are not done. */
import type { ActorKey } from "./actor_events.ts";
import type { TimerEvent } from "./timers.ts";
import type { ReadSql } from "./store_reader.ts";

/** Consecutive attempts from which on work counts as failing; two indexes have the same number. */
export const FAILING_ATTEMPTS = 3;

/** Condition of the timers, or of the PENDING effects, that fail repeatedly. */
export const isFailing = (sql: ReadSql) => sql`attempts >= 3`;

export interface WaitingTimer {
  name: string;
  event: TimerEvent & { service?: string };
  dueAt: Date;
  attempts: number;
  lastError: string | null;
}

/** Returns the timers, the next due first. */
export async function findTimers(
  sql: ReadSql,
  { storeId, actorKind, actorId }: ActorKey,
): Promise<WaitingTimer[]> {
  return await sql<WaitingTimer[]>`
    select name, event, due_at, attempts, last_error from timers
    where store_id = ${storeId} and actor_kind = ${actorKind} and actor_id = ${actorId} order by due_at, name`;
}

export interface OpenEffect {
  effectId: string;
  type: string;
  params: Record<string, string>;
  /** POISONED: given up until an operator retries it. */
  state: "PENDING" | "POISONED";
  attempts: number;
  dueAt: Date;
  lastError: string | null;
  createdAt: Date;
}

/** Returns the effects: POISONED ones first, then the next due. */
export async function findOpenEffects(
  sql: ReadSql,
  { storeId, actorKind, actorId }: ActorKey,
): Promise<OpenEffect[]> {
  return await sql<OpenEffect[]>`
    select effect_id, type, params, state, attempts, due_at, last_error, created_at from effects
    where store_id = ${storeId} and actor_kind = ${actorKind} and actor_id = ${actorId} and state <> 'DONE'
    order by state desc, due_at, effect_id`;
}
