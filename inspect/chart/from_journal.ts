/** Chart model from a journal alone, for a machine that this version does not know. */
import type { StateValue } from "xstate";
import { capitalize, eventLabel, stateLabel } from "../labels.ts";
import type { Model, State, Transition } from "./model.ts";
import type { JournalEntry } from "./path.ts";
import { parseState, parts } from "./value.ts";

interface MutableState extends State {
  children: MutableState[];
}

/** Contains every state of the journal, in order of appearance, and every transition that was taken. */
export function fromJournal(name: string, journal: readonly JournalEntry[]): Model {
  const root = createState(name, name);
  for (
    const text of new Set(journal.flatMap((entry) => [entry.stateBefore ?? [], entry.stateAfter].flat()))
  ) {
    addStates(root, parseState(text));
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

function createState(id: string, key: string): MutableState {
  return {
    id,
    key,
    label: capitalize(stateLabel(key)),
    description: undefined,
    type: "atomic",
    initial: [],
    children: [],
    representedIds: [id],
    mergedRegions: [],
  };
}

function addStates(state: MutableState, value: StateValue): void {
  const inside = parts(value);
  if (inside.length > 1) state.type = "parallel";
  for (const [key, below] of inside) {
    const child = childOf(state, key);
    if (below !== undefined) addStates(child, below);
  }
}

function childOf(state: MutableState, key: string): MutableState {
  const known = state.children.find((child) => child.key === key);
  if (known) return known;
  const child = createState(`${state.id}.${key}`, key);
  state.children.push(child);
  if (state.type === "atomic") state.type = "compound";
  return child;
}

function transitionOf(root: MutableState, name: string, event: string): Transition {
  const [source = "", targets] = name.split(" -> ");
  const id = `${name} ${event}`;
  return {
    id,
    name,
    source: stateAt(root, source).id,
    targets: targets?.split(", ").map((path) => stateAt(root, path).id) ?? [],
    event,
    label: eventLabel(event),
    trigger: "event",
    guarded: false,
    choice: false,
    representedIds: [id],
  };
}

/** Finds the state of a path. Adds it if no row has it, because the machine left it within the same event. */
function stateAt(root: MutableState, path: string): MutableState {
  if (path === root.key) return root;
  let [state, rest] = [root, path];
  for (;;) {
    const next = state.children.find(({ key }) => rest === key || rest.startsWith(`${key}.`));
    if (!next) return childOf(state, rest);
    if (rest === next.key) return next;
    [state, rest] = [next, rest.slice(next.key.length + 1)];
  }
}
