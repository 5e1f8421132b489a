/** The way that an actor has gone, up to any moment of its journal. */
import type { Explanation, JournalEntry } from "./explain.ts";
import type { State } from "./model.ts";
import { activeIn, parseState } from "./value.ts";

/** Everything by the ids of a model. */
export interface Trail {
  current: ReadonlySet<string>;
  /** States that were active, and a number that grows with the time when each last was. */
  visited: ReadonlyMap<string, number>;
  /** How often each transition was taken. */
  taken: ReadonlyMap<string, number>;
  /** Events of which not every row tells its transition: those of theirs may have been taken more often. */
  unclear: ReadonlySet<string>;
  /** States of the present that the machine does not have, in the journal's words. */
  unknown: readonly string[];
}

/**
 * @param journal in the order of its sequence
 * @param until the last sequence that counts
 */
export function trail(
  root: State,
  journal: readonly JournalEntry[],
  explain: (entry: JournalEntry) => Explanation,
  until = Infinity,
): Trail {
  const visited = new Map<string, number>();
  const taken = new Map<string, number>();
  const unclear = new Set<string>();
  // Ten thousand rows tell few different things.
  const explained = new Map<string, Explanation>();
  let last: JournalEntry | undefined;
  let moment = 0;
  for (const entry of journal) {
    if (entry.sequence > until) break;
    last = entry;
    const key = JSON.stringify([entry.eventType, entry.stateBefore, entry.stateAfter]);
    const explanation = explained.get(key) ?? explain(entry);
    explained.set(key, explanation);
    if (explanation.taken.length === 0 && entry.stateBefore !== null) unclear.add(entry.eventType);
    for (const id of explanation.taken) taken.set(id, (taken.get(id) ?? 0) + (entry.times ?? 1));
    for (const active of explanation.through) {
      moment++;
      for (const id of active) visited.set(id, moment);
    }
  }
  const { active, unknown } = activeIn(root, parseState(last?.stateAfter ?? "{}"));
  return { current: last ? active : new Set(), visited, taken, unclear, unknown };
}
