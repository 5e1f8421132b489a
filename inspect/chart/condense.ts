/** Draws regions that are alike once: twenty participants are read as one course and twenty names. */
import { everyState, type Model, type State, type Transition } from "./model.ts";

/** More regions that are alike than this are shown as one. */
const MANY = 3;

export function condense(model: Model): Model {
  const bySource = Map.groupBy(model.transitions, ({ source }) => source);
  /** By the id of a state or transition, those that share its place. */
  const sharing = new Map<string, string[]>();
  const gone = new Map<string, string>();

  function visit(state: State): State {
    const children = state.type === "parallel" ? merge(state.children) : state.children.map(visit);
    return { ...state, children };
  }

  function merge(regions: readonly State[]): State[] {
    const groups = Map.groupBy(regions, (region) => signature(region, bySource));
    return [...groups.values()].flatMap((group) => {
      const [first] = group;
      if (!first || group.length <= MANY || first.children.length === 0) return group.map(visit);
      const inside = group.map((region) => [...everyState(region)]);
      inside[0]!.forEach((state, place) => share(inside.map((states) => states[place]!), state));
      return [{ ...standing(first), label: `Each of these ${group.length}`, alike: group }];
    });
  }

  function share(states: readonly State[], { id }: State): void {
    sharing.set(id, states.map(({ id }) => id));
    for (const other of states.slice(1)) gone.set(other.id, id);
    const ways = states.map((state) => bySource.get(state.id) ?? []);
    ways[0]!.forEach((way, place) => sharing.set(way.id, ways.map((each) => each[place]!.id)));
  }

  const standing = (state: State): State => ({
    ...state,
    stands: sharing.get(state.id) ?? state.stands,
    children: state.children.map(standing),
  });

  const root = visit(model.root);
  const transitions = model.transitions.filter(({ source }) => !gone.has(source)).map((transition) => ({
    ...transition,
    targets: [...new Set(transition.targets.map((target) => gone.get(target) ?? target))],
    stands: sharing.get(transition.id) ?? transition.stands,
  }));
  return { ...model, root, transitions };
}

/** Equal for regions that differ in nothing but their name. */
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
