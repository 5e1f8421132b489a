/** Chart model of an XState machine, with the public names of its events. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from "xstate";
import { publicEvent } from "../../actors/gdpr/requests/public_events.ts";
import { transitionName } from "../../actors/runtime/transitions.ts";
import { capitalize, delayLabel, eventLabel, stateLabel } from "../labels.ts";
import type { Model, State, Transition } from "./model.ts";

export function fromMachine(machine: AnyStateMachine): Model {
  const transitions: Transition[] = [];
  const read = (node: AnyStateNode): State => {
    transitions.push(...transitionsOf(node));
    return {
      id: node.id,
      key: node.key,
      label: capitalize(stateLabel(node.key)),
      description: node.description,
      type: node.type,
      initial: node.type === "compound" ? node.initial.target.map(({ id }: AnyStateNode) => id) : [],
      children: Object.values(node.states as Record<string, AnyStateNode>).map(read),
      representedIds: [node.id],
      mergedRegions: [],
    };
  };
  return { name: machine.id, root: read(machine.root), transitions };
}

function transitionsOf(node: AnyStateNode): Transition[] {
  const definitions: AnyTransitionDefinition[] = [...node.transitions.values()].flat();
  const isForbidden = ({ target, actions }: AnyTransitionDefinition) => !target && actions.length === 0;
  return [...definitions, ...node.always ?? []].filter((each) => !isForbidden(each)).map(
    (definition, index, all) => {
      const { eventType, target = [], guard } = definition;
      const id = `${node.id} ${index}`;
      return {
        id,
        name: transitionName(definition),
        source: node.id,
        targets: target.map(({ id }: AnyStateNode) => id),
        event: publicEvent({ type: eventType }).name,
        ...triggerOf(node, eventType),
        guarded: guard !== undefined,
        choice: all.some((other) => other !== definition && other.eventType === eventType),
        representedIds: [id],
      };
    },
  );
}

function triggerOf(node: AnyStateNode, event: string): Pick<Transition, "trigger" | "label"> {
  if (event === "") return { trigger: "always", label: "immediately" };
  const delayed = node.after.find(({ eventType }) => eventType === event);
  if (delayed) {
    const { delay } = delayed;
    return {
      trigger: "delay",
      label: typeof delay === "function" ? "after a delay" : delayLabel(delay),
    };
  }
  if (event === `xstate.done.state.${node.id}`) {
    return { trigger: "done", label: node.type === "parallel" ? "when all are done" : "when done" };
  }
  if (event === "*") return { trigger: "event", label: "any other event" };
  return { trigger: "event", label: eventLabel(publicEvent({ type: event }).name) };
}
