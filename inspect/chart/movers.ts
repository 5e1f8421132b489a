/** Movers of transitions: the service by itself, or the party that it waits for. */
import { requestCommands } from "../../actors/gdpr/requests/commands.ts";
import type { Model, State, Transition } from "./model.ts";
import { nodeStatus } from "./node_status.ts";
import type { TakenPath } from "./path.ts";

export type Mover = "itself" | "staff" | "customer" | "customer or staff" | "participant";

/** Labels of who is waited for. */
export const MOVER_LABELS: Readonly<Record<Mover, string>> = {
  itself: "by itself",
  staff: "by a decision of staff",
  customer: "by the customer",
  "customer or staff": "by the customer or staff",
  participant: "by the service's answer",
};

/** Commands of the service itself that carry out its own work. Others of the system are answers of participants. */
const ANSWERS = ["participant.confirm", "source.received", "source.failed"];

/** @param event name of the event in the journal */
export function moverOf({ trigger, event }: Pick<Transition, "trigger" | "event">): Mover {
  if (trigger !== "event") return "itself";
  if (ANSWERS.includes(event)) return "participant";
  if (!Object.hasOwn(requestCommands, event)) return "itself"; // a timer, or an event of another actor
  const { by } = requestCommands[event as keyof typeof requestCommands];
  if (by.includes("STAFF")) return by.includes("CUSTOMER") ? "customer or staff" : "staff";
  return by.includes("CUSTOMER") ? "customer" : "itself";
}

/**
 * Whether the transition can come next, as far as the actor's state decides. A transition without an event cannot: it
 * would have been taken already.
 */
export function isNext(
  { source, trigger }: Transition,
  states: ReadonlyMap<string, State>,
  path: TakenPath,
): boolean {
  const state = states.get(source);
  if (!state || trigger === "always") return false;
  const status = nodeStatus(state, path);
  return status === "current" || status === "open";
}

/** A step that can come next. */
export interface NextStep {
  /** Labels of the states in which it can happen, such as those of the participants. */
  from: string[];
  label: string;
  target: string;
  mover: Mover;
}

/** The transitions to another state that can come next, those that happen by themselves first. */
export function nextSteps({ root, transitions }: Model, path: TakenPath): NextStep[] {
  const states = new Map<string, State>();
  const regions = new Map<string, string>();
  const visit = (state: State, region: string | undefined) => {
    states.set(state.id, state);
    if (region !== undefined) regions.set(state.id, region);
    for (const child of state.children) visit(child, state.type === "parallel" ? child.key : region);
  };
  visit(root, undefined);
  const steps = new Map<string, NextStep>();
  for (const transition of transitions) {
    const [target] = transition.targets;
    if (target === undefined || target === transition.source) continue;
    if (!isNext(transition, states, path)) continue;
    const mover = moverOf(transition);
    const label = transition.label;
    const targetLabel = states.get(target)?.label ?? target;
    const key = JSON.stringify([label, targetLabel, mover]);
    const step = steps.get(key) ?? { from: [], label, target: targetLabel, mover };
    const region = regions.get(transition.source);
    if (region !== undefined && !step.from.includes(region)) step.from.push(region);
    steps.set(key, step);
  }
  const order = ["itself", "participant", "customer", "customer or staff", "staff"];
  return [...steps.values()].toSorted((one, other) => order.indexOf(one.mover) - order.indexOf(other.mover));
}
