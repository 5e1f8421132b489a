/** An event that has happened to an actor: what the journal, the messages and a kind's own actions are told of it. */
import canonicalize from "canonicalize";
import type { AnyMachineSnapshot } from "xstate";
import type { Principal } from "../../domain/principal.ts";
import type { ActorRef } from "./protocol.ts";

/** An event that a machine has accepted, with everything that the world may be told of it. */
export interface RecordedEvent {
  ref: ActorRef;
  /** The customer whom the actor is about; undefined where it is about nobody. */
  customerId: string | undefined;
  /** The event's public name. */
  eventType: string;
  /** The party that the event was about; null for the actor as a whole. */
  about: string | null;
  /** Names of the transitions that the machine took, in their order. */
  transitions: readonly string[];
  /** Undefined for the event that made the actor. */
  before: { state: string; version: number } | undefined;
  after: { state: string; version: number };
  changedFields: readonly string[];
  /** As it was given, in free text: for the journal alone. */
  reason?: string | undefined;
  by: Principal;
  at: Date;
  /** Where in which trace it has happened. */
  traceparent: string;
}

/** An action as XState gives it back: a name and its data. */
export interface RecordedAction {
  type: string;
  params: unknown;
}

/** The machine's state in one word; a nested one as JSON, the same text however its regions are ordered. */
export function stateName({ value }: AnyMachineSnapshot): string {
  return typeof value === "string" ? value : canonicalize(value) ?? "";
}
