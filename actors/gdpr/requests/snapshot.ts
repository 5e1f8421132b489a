/** Stored snapshots of requests, and the machines by name that restore them. */
import { LRUCache } from "lru-cache";
import type { AnyMachineSnapshot, AnyStateMachine, StateValue } from "xstate";
import type { GdprRequestRow } from "../../../db/gdpr_requests.ts";
import { DomainError } from "../../../domain/errors.ts";
import { createCollectionMachine } from "../machines/collection_machine.ts";
import { createErasureMachine } from "../machines/erasure_machine.ts";
import { createRectificationMachine } from "../machines/rectification_machine.ts";
import type { RequestContext } from "../machines/events.ts";
import type { Right } from "../types.ts";

/** Value of gdpr_requests.snapshot. */
export interface RequestSnapshot {
  value: StateValue;
  context: RequestContext;
}

/** Machines by name and version. An old one stays until no row names it. */
const MACHINES: Readonly<Record<string, (participants: readonly string[]) => AnyStateMachine>> = {
  "gdpr_access@1": (participants) => createCollectionMachine("gdpr_access@1", participants),
  "gdpr_portability@1": (participants) => createCollectionMachine("gdpr_portability@1", participants),
  "gdpr_erasure@1": createErasureMachine,
  "gdpr_rectification@1": createRectificationMachine,
};

/** Machines of new requests. */
export const CURRENT_MACHINE: Readonly<Record<Right, string>> = {
  ACCESS: "gdpr_access@1",
  PORTABILITY: "gdpr_portability@1",
  ERASURE: "gdpr_erasure@1",
  RECTIFICATION: "gdpr_rectification@1",
};

/** Cache of machines by name and participants, as creating one takes longer than a transition. */
const cache = new LRUCache<string, AnyStateMachine>({ max: 100 });

/**
 * Returns the machine of a name for a request's participants.
 *
 * @throws {DomainError} REFUSED_IN_STATE: this version does not know the machine
 */
export function machineOf(name: string, participants: readonly string[]): AnyStateMachine {
  const create = Object.hasOwn(MACHINES, name) ? MACHINES[name] : undefined;
  if (!create) {
    throw new DomainError(
      "REFUSED_IN_STATE",
      `Cannot load the machine ${name}: this version does not know it`,
    );
  }
  const key = JSON.stringify([name, participants]);
  const machine = cache.get(key) ?? create(participants);
  cache.set(key, machine);
  return machine;
}

/**
 * Restores the machine's snapshot from a request's row.
 *
 * @throws {DomainError} REFUSED_IN_STATE: the machine is unknown to this version, or the state to the machine
 */
export function restoreRequest({ requestId, machine: name, snapshot }: GdprRequestRow): AnyMachineSnapshot {
  // The snapshot of an unknown machine may have another form.
  const { value, context } = snapshot as Partial<RequestSnapshot>;
  const machine = machineOf(name, context?.participants ?? []);
  try {
    return machine.resolveState({ value, context } as RequestSnapshot);
  } catch (cause) {
    throw new DomainError(
      "REFUSED_IN_STATE",
      `Cannot load request ${requestId}: ${machine.id} has no state ${JSON.stringify(value)}`,
      { cause },
    );
  }
}

/** The request's status, which is the top-level state. */
export function statusOf(value: StateValue): "PENDING" | "IN_PROGRESS" | "COMPLETED" {
  return (typeof value === "string" ? value : Object.keys(value)[0]) as
    | "PENDING"
    | "IN_PROGRESS"
    | "COMPLETED";
}
