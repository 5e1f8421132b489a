/** Rows of the effects: side effects that actors have requested. */
import type { Instant } from "./clock.ts";
import { lastOfBatch } from "./_expiry.ts";
import type { Sql, Tx } from "./connect.ts";
import type { ClaimOptions } from "./timers.ts";

export interface EffectRow {
  storeId: string;
  effectId: string;
  actorKind: string;
  actorId: string;
  type: string;
  params: Record<string, string>;
  traceId: string;
  /** Place in the trace at which it was requested. */
  traceparent: string;
  dueAt: Date;
  createdAt: Date;
}

/** Due effect that no other replica touches until `claimedUntil`. */
export interface ClaimedEffect extends Omit<EffectRow, "traceId" | "dueAt" | "createdAt"> {
  attempts: number;
  claimedUntil: Date;
}

/**
 * Claims due effects, of one store or of all. If the worker dies, the effect becomes due again when its claim expires. An
 * effect that an earlier version stored without a place in a trace gets one in its trace.
 */
export async function claimEffects(
  sql: Sql,
  { now, claimedUntil, limit, storeId }: ClaimOptions,
): Promise<ClaimedEffect[]> {
  const inStore = (table: string) =>
    storeId === undefined ? sql`` : sql`and ${sql(table)}.store_id = ${storeId}`;
  return await sql<ClaimedEffect[]>`
    with due as materialized (
      select store_id, effect_id from effects
      where state = 'PENDING' and due_at <= ${now} ${
    inStore("effects")
  } order by due_at limit ${limit} for update skip locked
    )
    update effects e set due_at = ${claimedUntil}, attempts = e.attempts + 1
    from due
    where e.store_id = due.store_id and e.effect_id = due.effect_id ${inStore("e")}
    returning e.store_id, e.effect_id, e.actor_kind, e.actor_id, e.type, e.params,
      coalesce(e.traceparent, '00-' || e.trace_id || '-' || left(md5(e.effect_id::text), 16) || '-00') as traceparent,
      e.attempts, e.due_at as claimed_until`;
}

/**
 * Extends a claim and returns its new end. Returns undefined if it has expired and another replica may have the
 * effect.
 */
export async function renewClaim(
  sql: Sql,
  effect: ClaimedEffect,
  claimedUntil: Instant,
): Promise<Date | undefined> {
  const [row] = await sql<{ dueAt: Date }[]>`
    update effects set due_at = ${claimedUntil}
    where store_id = ${effect.storeId} and effect_id = ${effect.effectId} and due_at = ${effect.claimedUntil}
      and state = 'PENDING'
    returning due_at`;
  return row?.dueAt;
}

/** Outcome of a claimed effect. */
export type EffectOutcome =
  | { state: "DONE"; finishedAt: Instant; lastError: null }
  | { state: "PENDING"; dueAt: Instant; attempts: number; lastError: string | null }
  /** Given up until an operator retries it. */
  | { state: "POISONED"; lastError: string };

/**
 * Stores the outcome. Returns false if the claim has expired and another replica may have the effect: the
 * outcome does not count.
 */
export async function settleEffect(
  sql: Sql,
  effect: ClaimedEffect,
  outcome: EffectOutcome,
): Promise<boolean> {
  const { count } = await sql`
    update effects set ${sql({ ...outcome } as Record<string, string>)}
    where store_id = ${effect.storeId} and effect_id = ${effect.effectId} and due_at = ${effect.claimedUntil}`;
  return count > 0;
}

/**
 * Deletes a batch of about `limit` effects that were done before a given time; POISONED ones stay. Returns their number.
 */
export async function deleteDoneEffects(sql: Sql | Tx, before: Instant, limit: number): Promise<number> {
  const isExpired = sql`state = 'DONE' and finished_at < ${before}`;
  const batch = { table: "effects", column: "finished_at", isExpired };
  const { count } = await sql`
    delete from effects where state = 'DONE' and finished_at <= ${lastOfBatch(sql, batch, limit)}`;
  return count;
}
