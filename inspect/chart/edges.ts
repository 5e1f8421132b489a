/** Arrows between the boxes of a chart. */
import { isInternal, type Model, parentsIn, type State, type Transition } from "./model.ts";

/** Arrow with all transitions between the same two boxes. */
export interface Arrow {
  id: string;
  source: string;
  target: string;
  transitions: Transition[];
  /** Transitions whose label is on this arrow: one with several targets is labeled once. */
  labeled: Transition[];
}

export function arrowsOf({ transitions }: Model): Arrow[] {
  const arrows = new Map<string, Arrow>();
  for (const transition of transitions) {
    if (isInternal(transition)) continue;
    transition.targets.forEach((target, index) => {
      const id = `${transition.source} → ${target}`;
      const arrow = arrows.get(id) ?? { id, source: transition.source, target, transitions: [], labeled: [] };
      arrow.transitions.push(transition);
      if (index === 0) arrow.labeled.push(transition);
      arrows.set(id, arrow);
    });
  }
  return [...arrows.values()];
}

/** Finds the innermost box that contains both ends of an arrow. */
export function containerOf(root: State): (arrow: Arrow) => string {
  const parents = parentsIn(root);
  const around = (id: string): string[] => {
    const parent = parents.get(id);
    return parent ? [id, ...around(parent.id)] : [id];
  };
  return ({ source, target }) => {
    const [from, to] = [around(source), around(target)];
    if (to.includes(source)) return source;
    if (from.includes(target)) return target;
    return from.find((id) => to.includes(id)) ?? root.id;
  };
}
