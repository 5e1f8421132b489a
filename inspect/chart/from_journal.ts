/** Guesses a chart from a journal alone, for a machine that this version does not know. */
import type { StateValue } from "xstate";
import { eventWords, sentence, stateWords } from "../words.ts";
import type { Explanation, JournalEntry } from "./explain.ts";
import type { Model, State, Transition } from "./model.ts";
import { activeIn, parseState, parts } from "./value.ts";

interface Grown extends State {
  children: Grown[];
}

/** The model holds every state of the journal, in the order of their appearance, and every change between them. */
export function fromJournal(
  name: string,
  journal: readonly JournalEntry[],
): { model: Model; explain: (entry: JournalEntry) => Explanation } {
  const root = sprout(name, name);
  const transitions = new Map<string, Transition>();
  for (
    const text of new Set(journal.flatMap((entry) => [entry.stateBefore ?? [], entry.stateAfter].flat()))
  ) {
    grow(root, parseState(text));
  }
  const told = new Set<string>();
  for (const entry of journal) {
    const key = JSON.stringify([entry.eventType, entry.stateBefore, entry.stateAfter]);
    if (told.has(key)) continue;
    told.add(key);
    for (const transition of changesOf(root, entry)) transitions.set(transition.id, transition);
  }
  const explain = (entry: JournalEntry) => ({
    taken: changesOf(root, entry).map(({ id }) => id),
    through: [activeIn(root, parseState(entry.stateAfter)).active],
  });
  return { model: { name, root, transitions: [...transitions.values()] }, explain };
}

function sprout(id: string, key: string): Grown {
  return {
    id,
    key,
    label: sentence(stateWords(key)),
    description: undefined,
    type: "atomic",
    initial: [],
    children: [],
    stands: [id],
    alike: [],
  };
}

function grow(state: Grown, value: StateValue): void {
  const inside = parts(value);
  if (inside.length > 1) state.type = "parallel";
  else if (state.type === "atomic") state.type = "compound";
  for (const [key, below] of inside) {
    let child = state.children.find((child) => child.key === key);
    if (!child) state.children.push(child = sprout(`${state.id}.${key}`, key));
    if (below !== undefined) grow(child, below);
  }
}

function changesOf({ id }: State, { eventType, stateBefore, stateAfter }: JournalEntry): Transition[] {
  if (stateBefore === null) return [];
  const changes = differences(id, parseState(stateBefore), parseState(stateAfter));
  const steps = changes.length > 0 ? changes : [[innermost(id, parseState(stateAfter))]];
  return steps.map(([source = id, ...targets]) => {
    const id = [source, eventType, ...targets].join(" ");
    return {
      id,
      source,
      targets,
      event: eventType,
      label: eventWords(eventType),
      trigger: "event",
      guarded: false,
      choice: false,
      reenter: false,
      stands: [id],
    };
  });
}

/** The outermost states that were left, each with the one that was entered in its place. */
function differences(id: string, before: StateValue, after: StateValue): [string, string][] {
  const [from, to] = [parts(before), new Map(parts(after))];
  const [entered] = to.keys();
  if (from.length === 1 && to.size === 1 && from[0]![0] !== entered) {
    return [[`${id}.${from[0]![0]}`, `${id}.${entered}`]];
  }
  return from.flatMap(([key, inside]) => {
    const next = to.get(key);
    return inside === undefined || next === undefined ? [] : differences(`${id}.${key}`, inside, next);
  });
}

/** The state in which an event was taken that changed none. */
function innermost(id: string, value: StateValue): string {
  const [first, second] = parts(value);
  if (!first || second) return id;
  const inner = `${id}.${first[0]}`;
  return first[1] === undefined ? inner : innermost(inner, first[1]);
}
