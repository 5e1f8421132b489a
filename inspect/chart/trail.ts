/** The way that an actor has gone, up to any moment of its journal. */
import { type Model, parentsIn, type Transition } from "./model.ts";
import { activeIn, parseState } from "./value.ts";

/** A row of the journal, as much of it as the chart needs. */
export interface JournalEntry {
  sequence: number;
  eventType: string;
  /** Null for the event that made the actor. */
  stateBefore: string | null;
  stateAfter: string;
  /** Names of the transitions taken; null for a row of an earlier version, which did not store them. */
  transitions: readonly string[] | null;
  /** How many such rows this one stands for; absent: one. */
  times?: number;
}

/** Everything by the ids of a model. */
export interface Trail {
  current: ReadonlySet<string>;
  /** States that were active, and a number that grows with the time when each last was. */
  visited: ReadonlyMap<string, number>;
  /** How often each transition was taken. */
  taken: ReadonlyMap<string, number>;
  /** The number of events of which the journal has the states, but not the transitions. */
  statesOnly: number;
  /** States of the present that the machine does not have, in the journal's words. */
  unknown: readonly string[];
}

/**
 * @param journal in the order of its sequence
 * @param until the last sequence that counts
 */
export function trail(
  { root, transitions }: Model,
  journal: readonly JournalEntry[],
  until = Infinity,
): Trail {
  const byName = Map.groupBy(transitions, ({ name }) => name);
  const parents = parentsIn(root);
  const visited = new Map<string, number>();
  const taken = new Map<string, number>();
  let statesOnly = 0;
  let moment = 0;

  function visit(ids: Iterable<string>): void {
    moment++;
    for (const id of ids) visited.set(id, moment);
  }
  function lineOf(id: string): string[] {
    const parent = parents.get(id);
    return parent ? [id, ...lineOf(parent.id)] : [id];
  }

  // Ten thousand rows have few different states.
  const known = new Map<string, ReturnType<typeof activeIn>>();
  function activeAt(text: string) {
    const found = known.get(text) ?? activeIn(root, parseState(text));
    known.set(text, found);
    return found;
  }

  const entries = journal.filter(({ sequence }) => sequence <= until);
  for (const { eventType, stateBefore, stateAfter, transitions, times = 1 } of entries) {
    if (transitions === null && stateBefore !== null) statesOnly += times;
    for (const name of transitions ?? []) {
      const transition = causedBy(eventType, byName.get(name) ?? []);
      if (!transition) continue;
      const { id, source, targets } = transition;
      taken.set(id, (taken.get(id) ?? 0) + times);
      visit(lineOf(source));
      visit(targets.flatMap(lineOf));
    }
    visit(activeAt(stateAfter).active);
  }
  const last = entries.at(-1);
  const { active, unknown } = activeAt(last?.stateAfter ?? "{}");
  return { current: last ? active : new Set(), visited, taken, statesOnly, unknown };
}

/** Transitions for several events may share a name; the ones that follow by themselves have no event. */
function causedBy(event: string, candidates: readonly Transition[]): Transition | undefined {
  return candidates.find((candidate) => candidate.event === event) ??
    candidates.find(({ trigger }) => trigger === "done" || trigger === "always") ?? candidates[0];
}
