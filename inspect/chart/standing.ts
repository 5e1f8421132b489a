/** How a state or a transition of a chart stands in the light of the way that an actor has gone. */
import { isAlarming } from "../words.ts";
import type { State, Transition } from "./model.ts";
import type { Trail } from "./trail.ts";

/** CURRENT: the actor is there, and in nothing inside it. OPEN: it is in something inside it. */
export type Standing = "current" | "open" | "visited" | "never";

export function standingOf({ stands, children }: State, { current, visited }: Trail): Standing {
  if (stands.some((id) => current.has(id))) return children.length > 0 ? "open" : "current";
  return stands.some((id) => visited.has(id)) ? "visited" : "never";
}

/** In how many of the regions that it stands for the state is current. */
export function countOf({ stands }: State, { current }: Trail): number {
  return stands.filter((id) => current.has(id)).length;
}

/** How often a transition was taken, in all regions that it stands for. */
export function timesTaken({ stands }: Transition, { taken }: Trail): number {
  return stands.reduce((times, id) => times + (taken.get(id) ?? 0), 0);
}

/** Where a region is, or was last; undefined before it has begun. */
export function lastLeaf(region: State, trail: Trail): State | undefined {
  const { visited } = trail;
  const reached = region.children.filter(({ id }) => visited.has(id));
  const [last] = reached.toSorted((one, other) => visited.get(other.id)! - visited.get(one.id)!);
  return last && last.children.length > 0 ? lastLeaf(last, trail) : last;
}

export function classesOf(state: State, trail: Trail): string {
  const standing = standingOf(state, trail);
  const alarming = standing === "current" && isAlarming(state.key);
  return `state ${state.type} ${standing}${alarming ? " alarming" : ""}`;
}
