/** Path of an actor through its machine, up to any event of its journal. */
import { type Model, parentsIn, type Transition } from "./model.ts";
import { activeIn, parseState } from "./value.ts";

/** Row of the journal, with the columns that the chart needs. */
export interface JournalEntry {
  sequence: number;
  eventType: string;
  /** Null for the event that created the actor. */
  stateBefore: string | null;
  stateAfter: string;
  /** Names of the transitions taken; null for a row of an earlier version, which did not store them. */
  transitions: readonly string[] | null;
  /** Number of equal rows that this one summarizes; absent: one. */
  times?: number;
}

/** Path of an actor, by the state and transition IDs of the model. */
export interface TakenPath {
  current: ReadonlySet<string>;
  /** States that were active, each with a counter that grows with the time of its last activity. */
  visited: ReadonlyMap<string, number>;
  /** Number of times that each transition was taken. */
  taken: ReadonlyMap<string, number>;
  /** Number of events whose transitions are not in the journal. */
  statesOnly: number;
  /** Current states that the machine does not have, as paths. */
  unknown: readonly string[];
}

/**
 * Traces the path of an actor through the model.
 *
 * @param journal in ascending order of its sequence
 * @param until last sequence to trace
 */
export function tracePath(
  { root, transitions }: Model,
  journal: readonly JournalEntry[],
  until = Infinity,
): TakenPath {
  const byName = Map.groupBy(transitions, ({ name }) => name);
  const parents = parentsIn(root);
  const visited = new Map<string, number>();
  const timesTaken = new Map<string, number>();
  let statesOnly = 0;
  let counter = 0;

  function visit(ids: Iterable<string>): void {
    counter++;
    for (const id of ids) visited.set(id, counter);
  }
  function ancestorsOf(id: string): string[] {
    const parent = parents.get(id);
    return parent ? [id, ...ancestorsOf(parent.id)] : [id];
  }

  // Cache: ten thousand rows have few different states.
  const cache = new Map<string, ReturnType<typeof activeIn>>();
  function activeAt(text: string) {
    const active = cache.get(text) ?? activeIn(root, parseState(text));
    cache.set(text, active);
    return active;
  }

  const entries = journal.filter(({ sequence }) => sequence <= until);
  for (const { eventType, stateBefore, stateAfter, transitions, times = 1 } of entries) {
    if (transitions === null && stateBefore !== null) statesOnly += times;
    for (const name of transitions ?? []) {
      const transition = causedBy(eventType, byName.get(name) ?? []);
      if (!transition) continue;
      const { id, source, targets } = transition;
      timesTaken.set(id, (timesTaken.get(id) ?? 0) + times);
      visit(ancestorsOf(source));
      visit(targets.flatMap(ancestorsOf));
    }
    visit(activeAt(stateAfter).active);
  }
  const last = entries.at(-1);
  const { active, unknown } = activeAt(last?.stateAfter ?? "{}");
  return { current: last ? active : new Set(), visited, taken: timesTaken, statesOnly, unknown };
}

/** Finds the transition of an event among those of one name. Eventless transitions have no event to compare. */
function causedBy(event: string, candidates: readonly Transition[]): Transition | undefined {
  return candidates.find((candidate) => candidate.event === event) ??
    candidates.find(({ trigger }) => trigger === "done" || trigger === "always") ?? candidates[0];
}
