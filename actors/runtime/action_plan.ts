/** Sorts the actions of a transition by what carries them out. An action that nothing carries out is a defect. */
import type { EventObject } from "xstate";
import type { OutboxRow } from "../../db/outbox.ts";
import type { Action, AnyBehavior } from "./behavior.ts";
import type { RecordedAction, RecordedEvent } from "./recorded_event.ts";

/** The messages for other services that an action asks for; undefined for an action that is not about messages. */
export type ToMessages = (event: RecordedEvent, action: RecordedAction) => OutboxRow[] | undefined;

/** Parameters of the action `perform`: an effect, which the worker performs after the transaction, at least once. */
export interface Perform {
  effect: string;
  params: Record<string, string>;
}

/** A delayed event that XState raises. */
export interface Raise {
  /** The timer's name within the actor. */
  id: string;
  event: EventObject;
  /** In milliseconds. */
  delay: number;
}

export interface ActionPlan {
  messages: OutboxRow[];
  effects: Perform[];
  /** Timers to set and names of timers to cancel, in the machine's order. */
  timers: (Raise | { cancel: string })[];
  /** Actions of the kind's own, in the machine's order. */
  own: { action: Action<unknown>; params: unknown }[];
}

/** @throws {Error} the machine has an action that neither the runtime nor its behavior implements */
export function planActions(
  behavior: AnyBehavior,
  event: RecordedEvent,
  actions: readonly RecordedAction[],
  toMessages: ToMessages,
): ActionPlan {
  const plan: ActionPlan = { messages: [], effects: [], timers: [], own: [] };
  for (const { type, params } of actions) {
    const messages = toMessages(event, { type, params });
    if (messages) plan.messages.push(...messages);
    else if (type === "perform") plan.effects.push(params as Perform);
    else if (type === "xstate.raise") plan.timers.push(params as Raise);
    else if (type === "xstate.cancel") plan.timers.push({ cancel: (params as { sendId: string }).sendId });
    else plan.own.push({ action: ownAction(behavior, type), params });
  }
  return plan;
}

function ownAction({ kind, actions = {} }: AnyBehavior, type: string): Action<unknown> {
  const action = Object.hasOwn(actions, type) ? actions[type] : undefined;
  if (!action) throw new Error(`No implementation of the action ${type} of ${kind}`);
  return action;
}
