/** Model of a statechart: the states and transitions of a machine, without actions, guards and context. */

export interface Model {
  name: string;
  /** The machine itself. Its box is drawn only if the machine is parallel or has transitions of its own. */
  root: State;
  transitions: readonly Transition[];
}

export interface State {
  /** XState's ID of the state. */
  id: string;
  key: string;
  label: string;
  description: string | undefined;
  type: "atomic" | "compound" | "parallel" | "final" | "history";
  /** IDs of the initial states of a compound state. */
  initial: readonly string[];
  children: readonly State[];
  /** IDs of the states that this box represents: itself, or the same state of all merged regions. */
  representedIds: readonly string[];
  /** Regions that were merged into this one, which the chart lists next to it. */
  mergedRegions: readonly State[];
  /** Number of states inside this one that a folded box hides; absent: none. */
  foldedStates?: number;
}

export interface Transition {
  id: string;
  /** Name in the journal. Transitions of different events may share a name. */
  name: string;
  source: string;
  /** State IDs; empty: the transition stays in its state. */
  targets: readonly string[];
  /** Name of the event in the journal. */
  event: string;
  label: string;
  trigger: "event" | "delay" | "done" | "always";
  guarded: boolean;
  /** Whether the same event has other transitions in this state. */
  choice: boolean;
  representedIds: readonly string[];
}

/** A state and all states inside it, parents first. */
export function* everyState(state: State): Generator<State> {
  yield state;
  for (const child of state.children) yield* everyState(child);
}

/** Parent of each state, by the ID of the state. */
export function parentsIn(root: State): Map<string, State> {
  const parents = new Map<string, State>();
  for (const state of everyState(root)) for (const child of state.children) parents.set(child.id, state);
  return parents;
}

/** Whether a transition stays in its state, so that it needs no arrow. */
export function isInternal({ source, targets }: Transition): boolean {
  return targets.length === 0 || (targets.length === 1 && targets[0] === source);
}
