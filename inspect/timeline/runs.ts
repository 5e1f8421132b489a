/** Folds what has happened again and again, for no reason given, and has changed nothing: the runs of a journal. */
import type { ActorEventRow } from "../../db/actor_events.ts";
import type { AboutCount } from "../../db/actor_history.ts";

/** An event, or a run of those that tell the same. */
export interface Line {
  /** Those of the page, newest first. */
  events: ActorEventRow[];
  /** The ends of the run, which may lie beyond the page. */
  newest: ActorEventRow;
  oldest: ActorEventRow;
  /** How many of its events were about what; of all of the run, where it goes on beyond the page. */
  about: AboutCount[];
  /** How many events make one time: two where one thing always follows another. */
  period: number;
  times: number;
  /** It ends with the page, and may have happened more often. */
  more: boolean;
}

/** The ends of a run, and what its events were about. */
export interface Ends {
  newest: ActorEventRow;
  oldest: ActorEventRow;
  about: AboutCount[];
}

/** By how many events make one time: how many times are one line. */
const WORTH_FOLDING: Readonly<Record<number, number>> = { 1: 3, 2: 2 };

/**
 * Every event in its order, alone or in a run with those around it that tell the same.
 *
 * @param shown the sequence of an event that has to stand by itself
 * @param ends of the runs that the page begins and ends with
 */
export function foldRuns(
  events: readonly ActorEventRow[],
  shown: number | undefined,
  ends: readonly Ends[] = [],
): Line[] {
  const told = events.toReversed();
  const lines: Line[] = [];
  for (let at = 0; at < told.length;) {
    const rest = told.slice(at);
    const line = atAnEnd(rest, ends) ?? repeated(rest, shown, 1) ?? repeated(rest, shown, 2) ??
      alone(rest[0]!);
    // What comes before the page may belong to it.
    lines.push(line.period > 1 && at === 0 && line.oldest.sequence > 1 ? { ...line, more: true } : line);
    at += line.events.length;
  }
  return lines.reverse();
}

/** Whether an event can be one of a run. */
export function isIdle({ reason, stateBefore, stateAfter }: ActorEventRow): boolean {
  return reason === null && stateBefore === stateAfter;
}

function alone(event: ActorEventRow): Line {
  return {
    events: [event],
    newest: event,
    oldest: event,
    about: countAbout([event]),
    period: 1,
    times: 1,
    more: false,
  };
}

function atAnEnd(rest: readonly ActorEventRow[], ends: readonly Ends[]): Line | undefined {
  const within = ({ newest, oldest }: Ends, { sequence }: ActorEventRow) =>
    oldest.sequence <= sequence && sequence <= newest.sequence;
  const run = ends.find((run) => within(run, rest[0]!));
  if (!run) return undefined;
  const times = run.newest.sequence - run.oldest.sequence + 1;
  if (times < WORTH_FOLDING[1]!) return undefined;
  const mine = rest.filter((event) => within(run, event)).reverse();
  return { ...run, events: mine, period: 1, times, more: false };
}

/** @param rest in the order in which it happened */
function repeated(
  rest: readonly ActorEventRow[],
  shown: number | undefined,
  period: number,
): Line | undefined {
  const [first, last] = [rest[0]!, rest[period - 1]];
  if (!last || first.stateBefore !== last.stateAfter) return undefined;
  // What people decide in turns is worth a line each.
  if (period > 1 && first.principalType !== "SYSTEM") return undefined;
  const end = rest.findIndex((event, index) =>
    event.sequence === shown || !isAlike(event, rest[index % period]!)
  );
  const times = Math.floor((end < 0 ? rest.length : end) / period);
  if (times < WORTH_FOLDING[period]!) return undefined;
  const events = rest.slice(0, times * period).reverse();
  const about = countAbout(events);
  return { events, newest: events[0]!, oldest: first, about, period, times, more: false };
}

function isAlike(one: ActorEventRow, other: ActorEventRow): boolean {
  return one.eventType === other.eventType && one.principalId === other.principalId &&
    one.principalService === other.principalService &&
    one.reason === null && other.reason === null &&
    one.stateBefore === other.stateBefore && one.stateAfter === other.stateAfter;
}

/** The most frequent first. */
function countAbout(events: readonly ActorEventRow[]): AboutCount[] {
  const groups = Map.groupBy(events, ({ about }) => about);
  return [...groups].map(([about, { length: times }]) => ({ about, times }))
    .sort((one, other) => other.times - one.times);
}
