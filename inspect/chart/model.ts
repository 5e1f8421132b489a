/** A statechart as it is drawn: what is left of a machine when its actions, guards and context are put aside. */

export interface Model {
  name: string;
  /** The machine itself; its box is drawn only where something happens to the whole. */
  root: State;
  transitions: readonly Transition[];
}

export interface State {
  /** XState's id of the state. */
  id: string;
  key: string;
  label: string;
  description: string | undefined;
  type: "atomic" | "compound" | "parallel" | "final" | "history";
  /** Where a compound state begins: ids. */
  initial: readonly string[];
  children: readonly State[];
  /** The states that this box stands for: itself, or the same state in every region that is alike. */
  stands: readonly string[];
  /** Regions that are alike and shown as one; each has a place of its own in a list beside it. */
  alike: readonly State[];
}

export interface Transition {
  id: string;
  /** Its name in the journal. Transitions of different events may share one. */
  name: string;
  source: string;
  /** Ids; none: the state stays as it is. */
  targets: readonly string[];
  /** The event's name in the journal. */
  event: string;
  label: string;
  trigger: "event" | "delay" | "done" | "always";
  guarded: boolean;
  /** One of several ways that the same event may go from this state. */
  choice: boolean;
  stands: readonly string[];
}

/** A state and everything inside it, parents first. */
export function* everyState(state: State): Generator<State> {
  yield state;
  for (const child of state.children) yield* everyState(child);
}

/** Each state's parent, by their ids. */
export function parentsIn(root: State): Map<string, State> {
  const parents = new Map<string, State>();
  for (const state of everyState(root)) for (const child of state.children) parents.set(child.id, state);
  return parents;
}

/** Whether a transition leaves every box where it is: nothing to draw an arrow for. */
export function stays({ source, targets }: Transition): boolean {
  return targets.length === 0 || (targets.length === 1 && targets[0] === source);
}
