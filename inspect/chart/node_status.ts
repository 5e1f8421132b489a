/** Status of the states and transitions of a chart for the path of an actor. */
import { isAlarming } from "../labels.ts";
import type { State, Transition } from "./model.ts";
import type { TakenPath } from "./path.ts";

/** current: the innermost active state; open: a state inside it is active. */
export type NodeStatus = "current" | "open" | "visited" | "never";

export function nodeStatus({ representedIds, children }: State, { current, visited }: TakenPath): NodeStatus {
  if (representedIds.some((id) => current.has(id))) return children.length > 0 ? "open" : "current";
  return representedIds.some((id) => visited.has(id)) ? "visited" : "never";
}

/** Number of represented states that are current. */
export function countCurrent({ representedIds }: State, { current }: TakenPath): number {
  return representedIds.filter((id) => current.has(id)).length;
}

/** Number of times that a transition was taken, summed over all merged regions. */
export function timesTaken({ representedIds }: Transition, { taken }: TakenPath): number {
  return representedIds.reduce((times, id) => times + (taken.get(id) ?? 0), 0);
}

/** Innermost state that a region reached last; undefined before the region starts. */
export function lastLeaf(region: State, path: TakenPath): State | undefined {
  const { visited } = path;
  const reached = region.children.filter(({ id }) => visited.has(id));
  const [last] = reached.toSorted((one, other) => visited.get(other.id)! - visited.get(one.id)!);
  return last && last.children.length > 0 ? lastLeaf(last, path) : last;
}

export function classesOf(state: State, path: TakenPath): string {
  const status = nodeStatus(state, path);
  const alarming = status === "current" && isAlarming(state.key);
  return `state ${state.type} ${status}${alarming ? " alarming" : ""}`;
}
