/** The journal of one actor for a page: a stretch of it, one of its moments, and all of it in short. */
import type { ActorEventRow, ActorKey } from "./actor_events.ts";
import type { ReadSql } from "./store_reader.ts";

const ofActor = (sql: ReadSql, { storeId, actorKind, actorId }: ActorKey) =>
  sql`store_id = ${storeId} and actor_kind = ${actorKind} and actor_id = ${actorId}`;

const columns = (sql: ReadSql) =>
  sql`store_id, actor_kind, actor_id, sequence, event_type, state_before, state_after, principal_id,
    principal_type, changed_fields, reason, at, about, transitions`;

/** The events up to a sequence, newest first. */
export async function findEventsUpTo(
  sql: ReadSql,
  key: ActorKey,
  { upTo, limit }: { upTo: number; limit: number },
): Promise<ActorEventRow[]> {
  return await sql<ActorEventRow[]>`
    select ${columns(sql)} from actor_events where ${ofActor(sql, key)} and sequence <= ${upTo}
    order by sequence desc limit ${limit}`;
}

/** The one event of a sequence. */
export async function findEvent(
  sql: ReadSql,
  key: ActorKey,
  sequence: number,
): Promise<ActorEventRow | undefined> {
  const [row] = await sql<ActorEventRow[]>`
    select ${columns(sql)} from actor_events where ${ofActor(sql, key)} and sequence = ${sequence}`;
  return row;
}

/** Events that tell the same: as many rows as there are different ones, however long the journal is. */
export interface SummarizedEvent
  extends Pick<ActorEventRow, "eventType" | "stateBefore" | "stateAfter" | "transitions"> {
  /** Of the last of them. */
  sequence: number;
  times: number;
}

/** The journal up to a sequence, in the order in which each thing happened for the last time. */
export async function summarizeJournal(
  sql: ReadSql,
  key: ActorKey,
  upTo: number,
): Promise<SummarizedEvent[]> {
  return await sql<SummarizedEvent[]>`
    select event_type, state_before, state_after, transitions, max(sequence) as sequence, count(*)::int as times
    from actor_events where ${ofActor(sql, key)} and sequence <= ${upTo}
    group by event_type, state_before, state_after, transitions order by max(sequence)`;
}

/**
 * Since when, at the event of a sequence, an actor has been in a state; undefined where the journal does not tell.
 *
 * @param prefix how the journal's text of the state begins, whatever goes on inside the state
 */
export async function findStateSince(
  sql: ReadSql,
  key: ActorKey,
  prefix: string,
  upTo: number,
): Promise<Date | undefined> {
  const [row] = await sql<{ at: Date }[]>`
    select at from actor_events
    where ${ofActor(sql, key)} and sequence <= ${upTo} and sequence > coalesce((
      select sequence from actor_events
      where ${ofActor(sql, key)} and sequence <= ${upTo} and not starts_with(state_after, ${prefix})
      order by sequence desc limit 1), 0)
    order by sequence limit 1`;
  return row?.at;
}

/** The reason that the last event of a type was given, up to a sequence; null without one. */
export async function findLastReason(
  sql: ReadSql,
  key: ActorKey,
  type: string,
  upTo: number,
): Promise<string | null> {
  const [row] = await sql<{ reason: string | null }[]>`
    select reason from actor_events
    where ${ofActor(sql, key)} and event_type = ${type} and sequence <= ${upTo}
    order by sequence desc limit 1`;
  return row?.reason ?? null;
}

/** How many events were about the same; `about` is null for the actor as a whole, and where that is unknown. */
export interface AboutCount {
  about: string | null;
  times: number;
}

/**
 * The ends of the run that an event is in: of all before and after it, without a gap, that tell the same as it does,
 * for no reason given, and have changed nothing. What they were about may differ: participants are asked in turn.
 *
 * @param shown the sequence of an event that is in no run
 */
export async function findRun(
  sql: ReadSql,
  key: ActorKey,
  { sequence, eventType, principalId, stateAfter }: ActorEventRow,
  shown: number | undefined,
): Promise<{ oldest: ActorEventRow; newest: ActorEventRow; about: AboutCount[] }> {
  const isOther = sql`(event_type = ${eventType} and principal_id = ${principalId} and reason is null
    and state_before = ${stateAfter} and state_after = ${stateAfter} and sequence <> ${
    shown ?? 0
  }) is not true`;
  const rows = await sql<ActorEventRow[]>`
    select ${columns(sql)} from actor_events where ${ofActor(sql, key)} and sequence in (
      select coalesce(max(sequence), 0) + 1 from actor_events
      where ${ofActor(sql, key)} and sequence < ${sequence} and ${isOther}
      union all
      select coalesce(
        (select min(sequence) - 1 from actor_events
         where ${ofActor(sql, key)} and sequence > ${sequence} and ${isOther}),
        (select max(sequence) from actor_events where ${ofActor(sql, key)})))
    order by sequence`;
  const [oldest, newest] = [rows[0]!, rows.at(-1)!];
  const about = await sql<AboutCount[]>`
    select about, count(*)::int as times from actor_events
    where ${ofActor(sql, key)} and sequence between ${oldest.sequence} and ${newest.sequence}
    group by about order by times desc, about`;
  return { oldest, newest, about };
}
