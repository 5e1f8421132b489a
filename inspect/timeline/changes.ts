/** What an event of the journal has changed, told by the states before and after it. */
import type { StateValue } from "xstate";
import { parseState, parts } from "../chart/value.ts";
import { stateWords } from "../words.ts";

export interface StateChange {
  /** The region that has changed, by its own name: a participant. Absent for a change of the whole. */
  about?: string;
  /** Absent for the beginning. */
  from?: string;
  to: string;
}

/** Nothing where the event left the states as they were. */
export function changesOf(before: string | null, after: string): StateChange[] {
  const reached = parseState(after);
  if (before === null) return [{ to: phaseWords(reached) }];
  const left = parseState(before);
  const inner = regionsBelow(left, reached, []);
  if (!inner) return before === after ? [] : [{ from: phaseWords(left), to: phaseWords(reached) }];
  return inner;
}

/** A state with what it stands in, without what goes on side by side in there: "in progress, collecting". */
export function phaseWords(value: StateValue): string {
  const [[key, inside] = ["", undefined], beside] = parts(value);
  if (beside) return parts(value).map(([key]) => stateWords(key)).join(", ");
  const [inner, another] = inside === undefined ? [] : parts(inside);
  return inner && !another ? `${stateWords(key)}, ${stateWords(inner[0])}` : stateWords(key);
}

/** The changes of regions inside the same two outer states; undefined where these are others. */
function regionsBelow(
  before: StateValue,
  after: StateValue,
  path: readonly string[],
): StateChange[] | undefined {
  if (path.length === 2) {
    const to = new Map(parts(after));
    return parts(before).flatMap(([about, inside]) => {
      const now = to.get(about);
      const [from, reached] = [words(inside), words(now)];
      return from === reached ? [] : [{ about, from, to: reached }];
    });
  }
  const [[key, inside] = ["", undefined], another] = parts(before);
  const [[next, below] = ["", undefined], other] = parts(after);
  if (another || other || key !== next || inside === undefined || below === undefined) return undefined;
  return regionsBelow(inside, below, [...path, key]);
}

function words(value: StateValue | undefined): string {
  return value === undefined ? "" : parts(value).map(([key]) => stateWords(key)).join(", ");
}
