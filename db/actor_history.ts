/** Journal queries for the pages of one actor: a page of events, a single event, and a summary. */
import type { ActorEventRow, ActorKey } from "./actor_events.ts";
import type { ReadSql } from "./store_reader.ts";

const ofActor = (sql: ReadSql, { storeId, actorKind, actorId }: ActorKey) =>
  sql`store_id = ${storeId} and actor_kind = ${actorKind} and actor_id = ${actorId}`;

const columns = (sql: ReadSql) =>
  sql`store_id, actor_kind, actor_id, sequence, event_type, state_before, state_after, principal_id,
    principal_type, principal_service, changed_fields, reason, reason_given, note, note_given, at, about,
    transitions, failure`;

/**
 * Returns the events up to a sequence number, newest first.
 *
 * @param without beginning of the types of events that are left out
 */
export async function findEventsUpTo(
  sql: ReadSql,
  key: ActorKey,
  { upTo, limit, without }: { upTo: number; limit: number; without?: string | undefined },
): Promise<ActorEventRow[]> {
  return await sql<ActorEventRow[]>`
    select ${columns(sql)} from actor_events where ${ofActor(sql, key)} and sequence <= ${upTo}
      ${without === undefined ? sql`` : sql`and not starts_with(event_type, ${without})`}
    order by sequence desc limit ${limit}`;
}

/** Returns the event with a sequence number. */
export async function findEvent(
  sql: ReadSql,
  key: ActorKey,
  sequence: number,
): Promise<ActorEventRow | undefined> {
  const [row] = await sql<ActorEventRow[]>`
    select ${columns(sql)} from actor_events where ${ofActor(sql, key)} and sequence = ${sequence}`;
  return row;
}

/** Group of equal events: one row for each distinct event, however long the journal is. */
export interface SummarizedEvent
  extends Pick<ActorEventRow, "eventType" | "stateBefore" | "stateAfter" | "transitions"> {
  /** Of the last event in the group. */
  sequence: number;
  times: number;
}

/**
 * Returns the journal up to a sequence number as groups of equal events, ordered by the last event of each
 * group.
 */
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

/** An event that changed the state of an actor. */
export type StateChange = Pick<ActorEventRow, "sequence" | "eventType" | "about">;

/** Returns the newest `limit` events that changed an actor's state, in ascending order. */
export async function findStateChanges(sql: ReadSql, key: ActorKey, limit: number): Promise<StateChange[]> {
  const newestFirst = await sql<StateChange[]>`
    select sequence, event_type, about from actor_events
    where ${ofActor(sql, key)} and state_before is distinct from state_after
    order by sequence desc limit ${limit}`;
  return newestFirst.reverse();
}

/**
 * Returns when an actor entered the state that it had at a sequence number; undefined where the journal does
 * not contain it.
 *
 * @param prefix beginning of the journal's text of the state, without its substates
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

/** Returns the reason of the last event of a type, up to a sequence number; null without one. */
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

/** Number of events about one participant; `about` is null for the actor as a whole, and if it is unknown. */
export interface AboutCount {
  about: string | null;
  times: number;
}

/**
 * Returns the first and last sequence number of the run that contains an event: adjacent events that are
 * equal, have no reason and no note, and changed nothing. They may be about different participants, which are asked in turn.
 *
 * @param shown sequence number of an event that belongs to no run
 */
export async function findRun(
  sql: ReadSql,
  key: ActorKey,
  { sequence, eventType, principalId, stateAfter }: ActorEventRow,
  shown: number | undefined,
): Promise<{ oldest: ActorEventRow; newest: ActorEventRow; about: AboutCount[] }> {
  const isOther =
    sql`(event_type = ${eventType} and principal_id = ${principalId} and not reason_given and not note_given
    and state_before = ${stateAfter} and state_after = ${stateAfter} and sequence <> ${
      shown ?? 0
    }) is not true`;
  const rows = await sql<ActorEventRow[]>`
    select ${columns(sql)} from actor_events where ${ofActor(sql, key)} and sequence in (
      select min(sequence) from actor_events where ${ofActor(sql, key)} and sequence > coalesce((
        select max(sequence) from actor_events
        where ${ofActor(sql, key)} and sequence < ${sequence} and ${isOther}), 0)
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

/** Returns when each field of an actor was last changed, by its name in the journal. */
export async function findChangeTimes(sql: ReadSql, key: ActorKey): Promise<Map<string, Date>> {
  const rows = await sql<{ field: string; at: Date }[]>`
    select field, max(at) as at from actor_events, unnest(changed_fields) as field
    where ${ofActor(sql, key)} group by field`;
  return new Map(rows.map(({ field, at }) => [field, at]));
}
