/** Which boxes are tied by an arrow, and inside which box it runs. */
import { type Model, parentsIn, type State, stays, type Transition } from "./model.ts";

/** The transitions between the same two boxes share an arrow. */
export interface Arrow {
  id: string;
  source: string;
  target: string;
  transitions: Transition[];
  /** Those whose words stand on this arrow: one with several targets is told once. */
  told: Transition[];
}

export function arrowsOf({ transitions }: Model): Arrow[] {
  const arrows = new Map<string, Arrow>();
  for (const transition of transitions) {
    if (stays(transition)) continue;
    transition.targets.forEach((target, index) => {
      const id = `${transition.source} → ${target}`;
      const arrow = arrows.get(id) ?? { id, source: transition.source, target, transitions: [], told: [] };
      arrow.transitions.push(transition);
      if (index === 0) arrow.told.push(transition);
      arrows.set(id, arrow);
    });
  }
  return [...arrows.values()];
}

/** The innermost box around both ends of an arrow. */
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
