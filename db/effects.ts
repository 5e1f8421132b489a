/** What actors want performed. */
import type { Sql, Tx } from "./connect.ts";

export interface EffectRow {
  storeId: string;
  effectId: string;
  actorKind: string;
  actorId: string;
  type: string;
  params: Record<string, string>;
  traceId: string;
  /** Where in the trace it was asked for. */
  traceparent: string;
  dueAt: Date;
  createdAt: Date;
}

/** A due effect that no other replica touches until `claimedUntil`. */
export interface ClaimedEffect extends Omit<EffectRow, "traceId" | "dueAt" | "createdAt"> {
  attempts: number;
  claimedUntil: Date;
}

export async function insertEffect(tx: Tx, row: EffectRow): Promise<void> {
  await tx`insert into effects ${tx({ ...row, params: tx.json(row.params) })}`;
}

/**
 * Claims what is due. Whoever dies over it leaves it due again at the end of the claim. An effect that a version without
 * places in traces has stored gets one in its trace.
 */
export async function claimEffects(
  sql: Sql,
  now: Date,
  claimedUntil: Date,
  limit: number,
): Promise<ClaimedEffect[]> {
  return await sql<ClaimedEffect[]>`
    update effects set due_at = ${claimedUntil}, attempts = attempts + 1
    where (store_id, effect_id) in (
      select store_id, effect_id from effects
      where state = 'PENDING' and due_at <= ${now} order by due_at limit ${limit} for update skip locked
    )
    returning store_id, effect_id, actor_kind, actor_id, type, params,
      coalesce(traceparent, '00-' || trace_id || '-' || left(md5(effect_id::text), 16) || '-00') as traceparent,
      attempts, due_at as claimed_until`;
}

/** Holds a claim for longer. False: it has run out and another replica has the effect now. */
export async function renewClaim(sql: Sql, effect: ClaimedEffect, claimedUntil: Date): Promise<boolean> {
  const { count } = await sql`
    update effects set due_at = ${claimedUntil}
    where store_id = ${effect.storeId} and effect_id = ${effect.effectId} and due_at = ${effect.claimedUntil}
      and state = 'PENDING'`;
  return count > 0;
}

/** What has become of a claimed effect. */
export type Outcome =
  | { state: "DONE"; finishedAt: Date; lastError: null }
  | { state: "PENDING"; dueAt: Date; attempts: number; lastError: string | null }
  /** Given up until somebody looks at it. */
  | { state: "POISONED"; lastError: string };

/** False: the claim has run out and another replica has the effect now, so this outcome does not count. */
export async function settleEffect(sql: Sql, effect: ClaimedEffect, outcome: Outcome): Promise<boolean> {
  const { count } = await sql`
    update effects set ${sql({ ...outcome })}
    where store_id = ${effect.storeId} and effect_id = ${effect.effectId} and due_at = ${effect.claimedUntil}`;
  return count > 0;
}

/** Forgets what was done before a moment; what was given up stays. */
export async function deleteDoneEffects(sql: Sql, before: Date): Promise<number> {
  const { count } = await sql`delete from effects where state = 'DONE' and finished_at < ${before}`;
  return count;
}
