/** A request's machine and its stored snapshot: which machine wrote it, and what it needs to be built again. */
import { LRUCache } from "lru-cache";
import type { AnyMachineSnapshot, AnyStateMachine, StateValue } from "xstate";
import type { GdprRequestRow } from "../../../db/gdpr_requests.ts";
import { DomainError } from "../../../domain/errors.ts";
import { createCollectionMachine } from "../machines/collection_machine.ts";
import { createErasureMachine } from "../machines/erasure_machine.ts";
import { createRectificationMachine } from "../machines/rectification_machine.ts";
import type { RequestContext } from "../machines/events.ts";
import type { Right } from "../vocabulary.ts";

/** What stands in gdpr_requests.snapshot. */
export interface RequestSnapshot {
  value: StateValue;
  context: RequestContext;
}

/** Every machine that a stored request may name; an old one stays until no row names it. */
const MACHINES: Readonly<Record<string, (participants: readonly string[]) => AnyStateMachine>> = {
  "gdpr_access@1": (sources) => createCollectionMachine("gdpr_access@1", sources),
  "gdpr_portability@1": (sources) => createCollectionMachine("gdpr_portability@1", sources),
  "gdpr_erasure@1": createErasureMachine,
  "gdpr_rectification@1": createRectificationMachine,
};

/** The machine with which a new request starts. */
export const CURRENT_MACHINE: Readonly<Record<Right, string>> = {
  ACCESS: "gdpr_access@1",
  PORTABILITY: "gdpr_portability@1",
  ERASURE: "gdpr_erasure@1",
  RECTIFICATION: "gdpr_rectification@1",
};

/** Building a machine takes longer than all that a command asks of it, and requests with the same participants share it. */
const built = new LRUCache<string, AnyStateMachine>({ max: 100 });

/** @throws {DomainError} REFUSED_IN_STATE: this version does not know the machine */
export function machineOf(name: string, participants: readonly string[]): AnyStateMachine {
  const create = Object.hasOwn(MACHINES, name) ? MACHINES[name] : undefined;
  if (!create) {
    throw new DomainError(
      "REFUSED_IN_STATE",
      `Cannot load the machine ${name}: this version does not know it`,
    );
  }
  const key = JSON.stringify([name, participants]);
  const machine = built.get(key) ?? create(participants);
  built.set(key, machine);
  return machine;
}

/** @throws {DomainError} REFUSED_IN_STATE: this version does not know the machine, or the machine not the state */
export function restoreRequest({ requestId, machine: name, snapshot }: GdprRequestRow): AnyMachineSnapshot {
  // What an unknown machine has stored need not have our form.
  const { value, context } = snapshot as Partial<RequestSnapshot>;
  const machine = machineOf(name, context?.participants ?? []);
  try {
    return machine.resolveState({ value, context } as RequestSnapshot);
  } catch (cause) {
    throw new DomainError(
      "REFUSED_IN_STATE",
      `Cannot load request ${requestId}: ${machine.id} knows no state ${JSON.stringify(value)}`,
      { cause },
    );
  }
}

/** PENDING, IN_PROGRESS or COMPLETED. */
export function statusOf(value: StateValue): "PENDING" | "IN_PROGRESS" | "COMPLETED" {
  return (typeof value === "string" ? value : Object.keys(value)[0]) as
    | "PENDING"
    | "IN_PROGRESS"
    | "COMPLETED";
}
