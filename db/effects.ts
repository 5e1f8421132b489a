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
  dueAt: Date;
  createdAt: Date;
}

/** A due effect that no other replica touches until its claim ends. */
export interface ClaimedEffect extends Omit<EffectRow, "dueAt" | "createdAt"> {
  attempts: number;
}

export async function insertEffect(tx: Tx, row: EffectRow): Promise<void> {
  await tx`insert into effects ${tx({ ...row, params: tx.json(row.params) })}`;
}

/** Claims what is due. Whoever dies over it leaves it due again at the end of the claim. */
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
    returning store_id, effect_id, actor_kind, actor_id, type, params, trace_id, attempts`;
}

export async function finishEffect(sql: Sql, { storeId, effectId }: ClaimedEffect, at: Date): Promise<void> {
  await sql`
    update effects set state = 'DONE', finished_at = ${at}, last_error = null
    where store_id = ${storeId} and effect_id = ${effectId}`;
}

/** Makes the effect due again: at once and with its attempts forgotten when it has come forward, later when it failed. */
export async function postponeEffect(
  sql: Sql,
  { storeId, effectId }: ClaimedEffect,
  dueAt: Date,
  attempts: number,
  lastError: string | null,
): Promise<void> {
  await sql`
    update effects set due_at = ${dueAt}, attempts = ${attempts}, last_error = ${lastError}
    where store_id = ${storeId} and effect_id = ${effectId}`;
}

/** Gives the effect up until somebody looks at it. */
export async function poisonEffect(
  sql: Sql,
  { storeId, effectId }: ClaimedEffect,
  lastError: string,
): Promise<void> {
  await sql`
    update effects set state = 'POISONED', last_error = ${lastError}
    where store_id = ${storeId} and effect_id = ${effectId}`;
}
