/** Folds the groups of a chart that the actor is not in, so that the rest fits on one screen. */
import { everyState, type Model, type State, type Transition } from "./model.ts";

/**
 * Replaces each group at the top of the chart that is not active by one box. Its arrows start and end at that box, and
 * those inside it are hidden.
 *
 * @param active IDs of the active states; without any, nothing is folded
 */
export function fold(model: Model, active: ReadonlySet<string>): Model {
  const { root } = model;
  if (root.type !== "compound" || !root.children.some((child) => isActive(child, active))) return model;
  /** ID of the folded group, by the IDs of the states inside it. */
  const foldedInto = new Map<string, string>();
  const children = root.children.map((child) => {
    const [, ...inside] = everyState(child);
    if (inside.length === 0 || isActive(child, active)) return child;
    for (const { id } of inside) foldedInto.set(id, child.id);
    return { ...child, children: [], initial: [], foldedStates: inside.length };
  });
  const shown = (id: string) => foldedInto.get(id) ?? id;
  const transitions = model.transitions.flatMap((transition): Transition[] => {
    const [source, targets] = [shown(transition.source), transition.targets.map(shown)];
    const isInside = source !== transition.source && targets.every((target) => target === source);
    return isInside ? [] : [{ ...transition, source, targets }];
  });
  return { ...model, root: { ...root, children }, transitions };
}

function isActive({ representedIds }: State, active: ReadonlySet<string>): boolean {
  return representedIds.some((id) => active.has(id));
}
