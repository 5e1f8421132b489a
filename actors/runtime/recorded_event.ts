/** A recorded event of an actor, for the journal, the messages and the actions of the actor's kind. */
import canonicalize from "canonicalize";
import type { AnyMachineSnapshot } from "xstate";
import type { Principal } from "../../domain/principal.ts";
import type { ActorRef } from "./protocol.ts";

/** An event that a machine has accepted, without personal values. */
export interface RecordedEvent {
  ref: ActorRef;
  /** The customer whom the actor is about; undefined if it is about no customer. */
  customerId: string | undefined;
  /** The event's public name. */
  eventType: string;
  /** The party that the event was about; null for the actor as a whole. */
  about: string | null;
  /** Names of the transitions that the machine took, in their order. */
  transitions: readonly string[];
  /** Undefined for the event that created the actor. */
  before: { state: string; version: number } | undefined;
  after: { state: string; version: number };
  /** Version after the event of the part that has a version of its own; 1 for a kind without such a part. */
  partVersion: number;
  /** Number of the event in the actor's journal, from 1, whichever version counts it. */
  sequence: number;
  changedFields: readonly string[];
  /** The reason and the note as the caller wrote them, for the journal only. */
  reason?: string | undefined;
  note?: string | undefined;
  /** Code of the failure that the event reports. */
  failure?: string | undefined;
  by: Principal;
  at: Date;
  /** The W3C trace context of the event. */
  traceparent: string;
}

/** An action as XState returns it: a name and its parameters. */
export interface RecordedAction {
  type: string;
  params: unknown;
}

/** Name of the machine's state; of a nested state its canonical JSON, whatever the order of its regions. */
export function stateName({ value }: Pick<AnyMachineSnapshot, "value">): string {
  return typeof value === "string" ? value : canonicalize(value) ?? "";
}
