/** State changes of a journal event, computed from the states before and after it. */
import type { StateValue } from "xstate";
import { parseState, parts } from "../chart/value.ts";
import { stateLabel } from "../labels.ts";

export interface RegionChange {
  /** Participant whose region changed; absent for a change of the outer state. */
  about?: string;
  /** Absent for the event that created the actor. */
  from?: string;
  to: string;
}

/** Empty if the event changed no state. */
export function changesOf(before: string | null, after: string): RegionChange[] {
  const reached = parseState(after);
  if (before === null) return [{ to: phaseLabel(reached) }];
  const previous = parseState(before);
  const inner = regionsBelow(previous, reached, []);
  if (!inner) return before === after ? [] : [{ from: phaseLabel(previous), to: phaseLabel(reached) }];
  return inner;
}

/** Label of the two outer levels of a state: "in progress, collecting". */
export function phaseLabel(value: StateValue): string {
  const [[key, inside] = ["", undefined], parallel] = parts(value);
  if (parallel) return parts(value).map(([key]) => stateLabel(key)).join(", ");
  const [inner, another] = inside === undefined ? [] : parts(inside);
  return inner && !another ? `${stateLabel(key)}, ${stateLabel(inner[0])}` : stateLabel(key);
}

/** Changes of regions if the two outer states are the same; undefined otherwise. */
function regionsBelow(
  before: StateValue,
  after: StateValue,
  path: readonly string[],
): RegionChange[] | undefined {
  if (path.length === 2) {
    const to = new Map(parts(after));
    return parts(before).flatMap(([about, inside]) => {
      const now = to.get(about);
      const [from, reached] = [labelsOf(inside), labelsOf(now)];
      return from === reached ? [] : [{ about, from, to: reached }];
    });
  }
  const [[key, inside] = ["", undefined], another] = parts(before);
  const [[next, below] = ["", undefined], other] = parts(after);
  if (another || other || key !== next || inside === undefined || below === undefined) return undefined;
  return regionsBelow(inside, below, [...path, key]);
}

function labelsOf(value: StateValue | undefined): string {
  return value === undefined ? "" : parts(value).map(([key]) => stateLabel(key)).join(", ");
}
