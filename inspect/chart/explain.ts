/** Finds out which transitions a row of the journal stands for. A row has no guards and no data, so some stay open. */
import { type Configuration, semanticsOf } from "./configuration.ts";
import type { Model, Transition } from "./model.ts";
import { activeIn, parseState } from "./value.ts";

/** A row of the journal, as much of it as the chart needs. */
export interface JournalEntry {
  sequence: number;
  eventType: string;
  /** Null for the event that made the actor. */
  stateBefore: string | null;
  stateAfter: string;
  /** How many such rows this one stands for; absent: one. */
  times?: number;
}

export interface Explanation {
  /** Ids of the transitions in their order; none where several would do. */
  taken: readonly string[];
  /** What was active on the way, the last of it being the state after. */
  through: readonly Configuration[];
}

/** How many transitions without an event may follow one another. */
const LONGEST_CHAIN = 8;

export function explainer(model: Model): (entry: JournalEntry) => Explanation {
  const { initial, take, following, possible } = semanticsOf(model);

  /** The ways to a state: a transition, and those that follow at once. */
  function ways(first: Transition | undefined, from: Configuration, to: Configuration, left = LONGEST_CHAIN) {
    const reached = first ? take(first, from) : from;
    const step = { taken: first ? [first.id] : [], through: [reached] };
    if (isSame(reached, to)) return [step];
    const found: Explanation[] = [];
    for (const next of left > 0 ? following(reached) : []) {
      for (const { taken, through } of ways(next, reached, to, left - 1)) {
        found.push({ taken: [...step.taken, ...taken], through: [...step.through, ...through] });
      }
    }
    return found;
  }

  /** One event may be answered in several regions at once. */
  function together(event: string, from: Configuration, to: Configuration): Explanation[] {
    let reached = from;
    const taken: string[] = [];
    for (const transition of possible(event, from)) {
      const { source, targets } = transition;
      if (!reached.has(source) || targets.length === 0 || !targets.every((target) => to.has(target))) {
        continue;
      }
      reached = take(transition, reached);
      taken.push(transition.id);
    }
    return ways(undefined, reached, to).map((way) => ({ ...way, taken: [...taken, ...way.taken] }));
  }

  return ({ eventType, stateBefore, stateAfter }) => {
    const to = activeIn(model.root, parseState(stateAfter)).active;
    const open: Explanation = { taken: [], through: [to] };
    if (stateBefore === null) return ways(undefined, initial, to)[0] ?? open;
    const from = activeIn(model.root, parseState(stateBefore)).active;
    const alone = possible(eventType, from).flatMap((transition) => ways(transition, from, to));
    const [only, another] = alone.length > 0 ? alone : together(eventType, from, to);
    return only && !another ? only : open;
  };
}

function isSame(one: Configuration, other: Configuration): boolean {
  return one.size === other.size && one.isSubsetOf(other);
}
