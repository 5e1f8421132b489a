/** Folds what has happened again and again, for no reason given, and has changed nothing: the runs of a journal. */
import type { ActorEventRow } from "../../db/actor_events.ts";

/** So many alike are one line. */
const WORTH_FOLDING = 3;

/**
 * Every event in its order, alone or in a run with those around it that tell the same.
 *
 * @param shown the sequence of an event that has to stand by itself
 */
export function foldRuns(events: readonly ActorEventRow[], shown: number | undefined): ActorEventRow[][] {
  const runs: ActorEventRow[][] = [];
  for (const event of events) {
    const run = runs.at(-1);
    if (run?.[0] && isAlike(run[0], event) && run[0].sequence !== shown && event.sequence !== shown) {
      run.push(event);
    } else runs.push([event]);
  }
  return runs.flatMap((run) => run.length < WORTH_FOLDING ? run.map((event) => [event]) : [run]);
}

function isAlike(one: ActorEventRow, other: ActorEventRow): boolean {
  return one.eventType === other.eventType && one.principalId === other.principalId &&
    one.reason === null && other.reason === null && one.stateBefore === one.stateAfter &&
    other.stateBefore === one.stateBefore &&
    other.stateAfter === one.stateAfter;
}
