/** What a transition does to the set of active states: statechart semantics, without guards and context. */
import { everyState, type Model, parentsIn, type State, type Transition } from "./model.ts";

/** Ids of all active states, their parents included. */
export type Configuration = ReadonlySet<string>;

export interface Semantics {
  /** Where the machine begins, before any transition. */
  initial: Configuration;
  take(transition: Transition, from: Configuration): Configuration;
  /** The transitions without an event that may follow at once. */
  following(active: Configuration): Transition[];
  /** The transitions that an event may take, whichever way their guards decide. */
  possible(event: string, active: Configuration): Transition[];
}

export function semanticsOf({ root, transitions }: Model): Semantics {
  const states = new Map([...everyState(root)].map((state) => [state.id, state] as const));
  const innermostFirst = [...states.keys()].reverse();
  const parents = parentsIn(root);
  const bySource = Map.groupBy(transitions, ({ source }) => source);

  /** From a state up to the root. */
  function lineOf(id: string): string[] {
    const parent = parents.get(id);
    return parent ? [id, ...lineOf(parent.id)] : [id];
  }

  function enter(targets: readonly string[], within: string, active: Set<string>): void {
    for (const target of targets) {
      const line = lineOf(target);
      for (const id of line.slice(0, line.indexOf(within))) active.add(id);
    }
    complete(within, active);
  }

  /** Enters what an active state needs inside it. */
  function complete(id: string, active: Set<string>): void {
    active.add(id);
    const { type, children, initial } = states.get(id)!;
    const inside = children.filter((child) => type === "parallel" || active.has(child.id));
    if (inside.length === 0 && initial.length > 0) enter(initial, id, active);
    for (const child of inside) complete(child.id, active);
  }

  /** The innermost state that stays entered. */
  function domainOf({ source, targets, reenter }: Transition): string {
    const around = reenter ? lineOf(source).slice(1) : lineOf(source);
    const holds = (id: string) => targets.every((target) => target !== id && lineOf(target).includes(id));
    return around.find(holds) ?? root.id;
  }

  function take(transition: Transition, from: Configuration): Configuration {
    if (transition.targets.length === 0) return from;
    const domain = domainOf(transition);
    const kept = [...from].filter((id) => id === domain || !lineOf(id).includes(domain));
    const active = new Set(kept);
    enter(transition.targets, domain, active);
    return active;
  }

  function isDone({ type, children }: State, active: Configuration): boolean {
    const inside = children.filter((child) => active.has(child.id));
    if (type === "parallel") return inside.every((child) => child.type === "final" || isDone(child, active));
    return inside.some((child) => child.type === "final");
  }

  function following(active: Configuration): Transition[] {
    return [...active].flatMap((id) =>
      (bySource.get(id) ?? []).filter(({ trigger }) =>
        trigger === "always" || (trigger === "done" && isDone(states.get(id)!, active))
      )
    );
  }

  function possible(event: string, active: Configuration): Transition[] {
    const decided = new Set<string>();
    const found: Transition[] = [];
    for (const id of innermostFirst) {
      if (!active.has(id) || decided.has(id)) continue;
      for (const transition of bySource.get(id) ?? []) {
        if (transition.trigger === "always" || !answers(transition.event, event)) continue;
        found.push(transition);
        if (transition.guarded) continue;
        lineOf(id).forEach((outer) => decided.add(outer));
        break;
      }
    }
    return found;
  }

  const initial = new Set<string>();
  complete(root.id, initial);
  return { initial, take, following, possible };
}

/** A descriptor may end in a star. */
function answers(descriptor: string, event: string): boolean {
  if (!descriptor.endsWith("*")) return descriptor === event;
  return event.startsWith(descriptor.slice(0, -1));
}
