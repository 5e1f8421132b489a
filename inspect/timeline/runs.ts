/** Runs of a journal: folds repeated events without texts and without a state change into one line. */
import type { ActorEventRow } from "../../db/actor_events.ts";
import type { AboutCount } from "../../db/actor_history.ts";

/** Line of the timeline: one event, or a run of repeated events. */
export interface TimelineLine {
  /** Events of the line on this page, newest first. */
  events: ActorEventRow[];
  /** First and last event of the run, which may be beyond the page. */
  newest: ActorEventRow;
  oldest: ActorEventRow;
  /** Number of events for each service, including those beyond the page. */
  about: AboutCount[];
  /** Events in one repetition: two if two events alternate. */
  period: number;
  times: number;
  /** Whether the run reaches the end of the page and may contain more repetitions. */
  more: boolean;
}

/** First and last event of a run, and the number of its events for each service. */
export interface RunBounds {
  newest: ActorEventRow;
  oldest: ActorEventRow;
  about: AboutCount[];
}

/** Minimum number of repetitions of a run, by its period. */
const MIN_REPETITIONS: Readonly<Record<number, number>> = { 1: 3, 2: 2 };

/**
 * Folds events into lines and keeps their order.
 *
 * @param shown sequence of an event that must have its own line
 * @param ends bounds of the runs at the start and the end of the page
 */
export function foldRuns(
  events: readonly ActorEventRow[],
  shown: number | undefined,
  ends: readonly RunBounds[] = [],
): TimelineLine[] {
  const ascending = events.toReversed();
  const lines: TimelineLine[] = [];
  for (let at = 0; at < ascending.length;) {
    const rest = ascending.slice(at);
    const line = boundaryRun(rest, ends) ?? repeatedRun(rest, shown, 1) ?? repeatedRun(rest, shown, 2) ??
      singleEvent(rest[0]!);
    // Events before the page may belong to the run.
    lines.push(line.period > 1 && at === 0 && line.oldest.sequence > 1 ? { ...line, more: true } : line);
    at += line.events.length;
  }
  return lines.reverse();
}

/** Whether an event can be part of a run. */
export function isRepeatable({ reason, note, stateBefore, stateAfter }: ActorEventRow): boolean {
  return reason === null && note === null && stateBefore === stateAfter;
}

function singleEvent(event: ActorEventRow): TimelineLine {
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

function boundaryRun(rest: readonly ActorEventRow[], ends: readonly RunBounds[]): TimelineLine | undefined {
  const within = ({ newest, oldest }: RunBounds, { sequence }: ActorEventRow) =>
    oldest.sequence <= sequence && sequence <= newest.sequence;
  const run = ends.find((run) => within(run, rest[0]!));
  if (!run) return undefined;
  const times = run.newest.sequence - run.oldest.sequence + 1;
  if (times < MIN_REPETITIONS[1]!) return undefined;
  const events = rest.filter((event) => within(run, event)).reverse();
  return { ...run, events, period: 1, times, more: false };
}

/** @param rest events in ascending order */
function repeatedRun(
  rest: readonly ActorEventRow[],
  shown: number | undefined,
  period: number,
): TimelineLine | undefined {
  const [first, last] = [rest[0]!, rest[period - 1]];
  if (!last || first.stateBefore !== last.stateAfter) return undefined;
  // Decisions of people have a line each.
  if (period > 1 && first.principalType !== "SYSTEM") return undefined;
  const end = rest.findIndex((event, index) =>
    event.sequence === shown || !isAlike(event, rest[index % period]!)
  );
  const times = Math.floor((end < 0 ? rest.length : end) / period);
  if (times < MIN_REPETITIONS[period]!) return undefined;
  const events = rest.slice(0, times * period).reverse();
  const about = countAbout(events);
  return { events, newest: events[0]!, oldest: first, about, period, times, more: false };
}

function isAlike(one: ActorEventRow, other: ActorEventRow): boolean {
  return one.eventType === other.eventType && one.principalId === other.principalId &&
    one.principalService === other.principalService &&
    !one.reasonGiven && !other.reasonGiven && !one.noteGiven && !other.noteGiven &&
    one.failure === other.failure &&
    one.stateBefore === other.stateBefore && one.stateAfter === other.stateAfter;
}

/** Number of events for each service, the most frequent first. */
function countAbout(events: readonly ActorEventRow[]): AboutCount[] {
  const groups = Map.groupBy(events, ({ about }) => about);
  return [...groups].map(([about, { length: times }]) => ({ about, times }))
    .sort((one, other) => other.times - one.times);
}
