/** Rows of the timers: delayed transitions that wait for their time. */
import type { Instant } from "./clock.ts";
import type { Sql, Tx } from "./connect.ts";

export interface TimerKey {
  storeId: string;
  actorKind: string;
  actorId: string;
  /** Name of the delay in the machine. */
  name: string;
}

/** Event that the timer sends to the machine: its type and its fields, IDs and phases only. */
export type TimerEvent = { type: string };

export interface TimerRow extends TimerKey {
  event: TimerEvent;
  /** Place in the trace at which it was set. */
  traceparent: string;
  dueAt: Date;
  createdAt: Date;
}

/**
 * Deletes the timer as it fires. Returns false if the machine has canceled it, or another replica has fired
 * it. A timer that was set again in the meantime has another event time and stays.
 */
export async function takeTimer(tx: Tx, timer: ClaimedTimer): Promise<boolean> {
  const rows = await tx`
    delete from timers
    where store_id = ${timer.storeId} and actor_kind = ${timer.actorKind} and actor_id = ${timer.actorId}
      and name = ${timer.name} and due_at = ${timer.claimedUntil}
    returning 1`;
  return rows.length > 0;
}

/** Claim of due work. */
export interface ClaimOptions {
  now: Instant;
  claimedUntil: Instant;
  limit: number;
  /** Absent: of all stores, if the tables are not distributed. */
  storeId?: string | undefined;
}

/** Due timer that no other replica touches until `claimedUntil`. */
export interface ClaimedTimer extends TimerKey {
  event: TimerEvent;
  /** Null for a timer that an earlier version has set. */
  traceparent: string | null;
  attempts: number;
  claimedUntil: Date;
}

/**
 * Claims due timers, of one store or of all. If the worker dies, the timer becomes due again when its claim expires.
 */
export async function claimTimers(
  sql: Sql,
  { now, claimedUntil, limit, storeId }: ClaimOptions,
): Promise<ClaimedTimer[]> {
  const inStore = (table: string) =>
    storeId === undefined ? sql`` : sql`and ${sql(table)}.store_id = ${storeId}`;
  return await sql<ClaimedTimer[]>`
    with due as materialized (
      select store_id, actor_kind, actor_id, name from timers
      where due_at <= ${now} ${inStore("timers")} order by due_at limit ${limit} for update skip locked
    )
    update timers t set due_at = ${claimedUntil}, attempts = t.attempts + 1
    from due
    where t.store_id = due.store_id and t.actor_kind = due.actor_kind and t.actor_id = due.actor_id
      and t.name = due.name ${inStore("t")}
    returning t.store_id, t.actor_kind, t.actor_id, t.name, t.event, t.traceparent, t.attempts,
      t.due_at as claimed_until`;
}

/** Delays a timer that could not fire until its next attempt. */
export async function postponeTimer(
  sql: Sql,
  timer: ClaimedTimer,
  dueAt: Instant,
  lastError: string,
): Promise<void> {
  await sql`
    update timers set due_at = ${dueAt}, last_error = ${lastError}
    where store_id = ${timer.storeId} and actor_kind = ${timer.actorKind} and actor_id = ${timer.actorId}
      and name = ${timer.name} and due_at = ${timer.claimedUntil}`;
}
