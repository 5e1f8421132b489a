/** A chart of what a journal alone says, for a machine that this version does not know. */
import type { StateValue } from "xstate";
import { eventWords, sentence, stateWords } from "../words.ts";
import type { Model, State, Transition } from "./model.ts";
import type { JournalEntry } from "./trail.ts";
import { parseState, parts } from "./value.ts";

interface Grown extends State {
  children: Grown[];
}

/** The model holds every state of the journal, in the order of their appearance, and every transition that was taken. */
export function fromJournal(name: string, journal: readonly JournalEntry[]): Model {
  const root = sprout(name, name);
  for (
    const text of new Set(journal.flatMap((entry) => [entry.stateBefore ?? [], entry.stateAfter].flat()))
  ) {
    grow(root, parseState(text));
  }
  const transitions = new Map<string, Transition>();
  for (const { eventType, transitions: names } of journal) {
    for (const name of names ?? []) {
      const transition = transitionOf(root, name, eventType);
      transitions.set(transition.id, transition);
    }
  }
  return { name, root, transitions: [...transitions.values()] };
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
  for (const [key, below] of inside) {
    const child = childOf(state, key);
    if (below !== undefined) grow(child, below);
  }
}

function childOf(state: Grown, key: string): Grown {
  const known = state.children.find((child) => child.key === key);
  if (known) return known;
  const child = sprout(`${state.id}.${key}`, key);
  state.children.push(child);
  if (state.type === "atomic") state.type = "compound";
  return child;
}

function transitionOf(root: Grown, name: string, event: string): Transition {
  const [source = "", targets] = name.split(" -> ");
  const id = `${name} ${event}`;
  return {
    id,
    name,
    source: stateAt(root, source).id,
    targets: targets?.split(", ").map((path) => stateAt(root, path).id) ?? [],
    event,
    label: eventWords(event),
    trigger: "event",
    guarded: false,
    choice: false,
    stands: [id],
  };
}

/** The state of a path; one that was left at once is in no row's state, so it is added. */
function stateAt(root: Grown, path: string): Grown {
  if (path === root.key) return root;
  let [state, rest] = [root, path];
  for (;;) {
    const next = state.children.find(({ key }) => rest === key || rest.startsWith(`${key}.`));
    if (!next) return childOf(state, rest);
    if (rest === next.key) return next;
    [state, rest] = [next, rest.slice(next.key.length + 1)];
  }
}
