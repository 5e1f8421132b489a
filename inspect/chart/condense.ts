/** Merges equal regions of a chart, so that twenty participants are drawn as one region with twenty names. */
import { everyState, type Model, type State, type Transition } from "./model.ts";

/** Up to this number, equal regions are drawn separately. */
const MAX_SEPARATE = 1;

export function condense(model: Model): Model {
  const bySource = Map.groupBy(model.transitions, ({ source }) => source);
  /** IDs of the merged states or transitions, by the ID of the one that represents them. */
  const represented = new Map<string, string[]>();
  const replacements = new Map<string, string>();

  function visit(state: State): State {
    const children = state.type === "parallel" ? merge(state.children) : state.children.map(visit);
    return { ...state, children };
  }

  function merge(regions: readonly State[]): State[] {
    const groups = Map.groupBy(regions, (region) => signature(region, bySource));
    return [...groups.values()].flatMap((group) => {
      const [first] = group;
      if (!first || group.length <= MAX_SEPARATE || first.children.length === 0) return group.map(visit);
      const inside = group.map((region) => [...everyState(region)]);
      inside[0]!.forEach((state, place) => share(inside.map((states) => states[place]!), state));
      return [{ ...withRepresented(first), label: `Each of these ${group.length}`, mergedRegions: group }];
    });
  }

  function share(states: readonly State[], { id }: State): void {
    represented.set(id, states.map(({ id }) => id));
    for (const other of states.slice(1)) replacements.set(other.id, id);
    const transitionsOf = states.map((state) => bySource.get(state.id) ?? []);
    transitionsOf[0]!.forEach(({ id }, place) =>
      represented.set(id, transitionsOf.map((each) => each[place]!.id))
    );
  }

  const withRepresented = (state: State): State => ({
    ...state,
    representedIds: represented.get(state.id) ?? state.representedIds,
    children: state.children.map(withRepresented),
  });

  const root = visit(model.root);
  const transitions = model.transitions.filter(({ source }) => !replacements.has(source)).map((
    transition,
  ) => ({
    ...transition,
    targets: [...new Set(transition.targets.map((target) => replacements.get(target) ?? target))],
    representedIds: represented.get(transition.id) ?? transition.representedIds,
  }));
  return { ...model, root, transitions };
}

/** Text that is equal for regions that differ only in their name. */
function signature(region: State, bySource: Map<string, Transition[]>): string {
  const inside = [...everyState(region)];
  const places = new Map(inside.map(({ id }, place) => [id, place] as const));
  const place = (id: string) => places.get(id) ?? id;
  return JSON.stringify(inside.map((state) => [
    state === region ? "" : state.key,
    state.type,
    state.initial.map(place),
    state.children.length,
    (bySource.get(state.id) ?? []).map(({ targets, label, trigger, guarded, choice }) => [
      targets.map(place),
      label,
      trigger,
      guarded,
      choice,
    ]),
  ]));
}
