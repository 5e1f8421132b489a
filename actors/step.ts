/** One step of an actor inside its transaction: from a command or an event to everything that follows from it. */
import { type AnyMachineSnapshot, type EventObject, initialTransition, transition } from "xstate";
import type { Tx } from "../db/connect.ts";
import { authorizeSubject } from "./authority.ts";
import type { Beginning, Behaviour, Decision, Found, Step } from "./behaviour.ts";
import { columnNames } from "./changes.ts";
import { DomainError } from "./errors.ts";
import { parseInput } from "./input.ts";
import { type Principal, systemPrincipal } from "./principal.ts";
import type { ActorKind, ActorRef, Answer, Command } from "./protocol.ts";
import { type Occurrence, type RecordedAction, stateName } from "./occurrence.ts";
import { record } from "./record.ts";

// A machine's row type is its behaviour's own affair: the runtime only hands rows from one of its functions to
// the next.
// deno-lint-ignore no-explicit-any
export type AnyBehaviour = Behaviour<any>;

/** What every step of an actor is told beside its event. */
export interface Occasion {
  by: Principal;
  traceparent: string;
  at: Date;
}

export interface Steps {
  behaviourOf(kind: ActorKind): AnyBehaviour;
  /** Carries out a checked command. */
  perform(
    tx: Tx,
    ref: ActorRef,
    type: string,
    input: never,
    occasion: Occasion,
    expectedVersion?: number,
  ): Promise<Answer>;
  /**
   * Puts an event to its actor; false: the actor does not exist, or does not take it in its state. Asked under the
   * actor's lock, `still` may say that there is no event any more.
   */
  advanceIfAccepted(
    tx: Tx,
    ref: ActorRef,
    event: EventObject,
    occasion: Occasion,
    still: () => Promise<boolean>,
  ): Promise<boolean>;
}

export function createSteps(behaviours: Readonly<Record<string, AnyBehaviour>>): Steps {
  function behaviourOf(kind: ActorKind): AnyBehaviour {
    const found = Object.hasOwn(behaviours, kind) ? behaviours[kind] : undefined;
    if (!found) throw new Error(`There is no behaviour for ${kind}`);
    return found;
  }

  async function perform(
    tx: Tx,
    ref: ActorRef,
    type: string,
    input: never,
    occasion: Occasion,
    expectedVersion?: number,
  ): Promise<Answer> {
    const behaviour = behaviourOf(ref.kind);
    const scene = { tx, ref, by: occasion.by, now: occasion.at };
    const handler = handlerOf(behaviour, type);
    if (!handler) {
      const beginning = await behaviour.birth.begin(scene, input);
      if (!("machine" in beginning)) return beginning;
      return await begin(tx, behaviour, ref, beginning, occasion);
    }

    const found = await behaviour.lock(tx, ref);
    if (!found) throw new DomainError("NOT_FOUND", `Cannot find ${ref.kind} ${ref.id}`);
    authorizeSubject(ref, type, behaviour.customerOf(ref, found.row), occasion.by);
    if (expectedVersion !== undefined && expectedVersion !== found.version) {
      const versions = `it is at version ${found.version}, not ${expectedVersion}`;
      throw new DomainError("CONFLICT", `Cannot ${type} ${ref.id}: ${versions}`);
    }
    const state = stateName(found.snapshot);
    const refused = (reasons: string[] = []) => {
      const why = [state, ...reasons].join("; ");
      return new DomainError("REFUSED_IN_STATE", `Cannot ${type} ${ref.id}: ${why}`);
    };
    if (found.snapshot.status !== "active") throw refused(); // whatever it comes to
    const decision = await handler.decide({ ...scene, row: found.row }, input);
    const event = await complete(tx, behaviour, ref, found, decision.event, occasion);
    if (!accepts(found.snapshot, event)) throw refused(refusalsOf(found.snapshot, event, behaviour));
    if (decision.changedFields.length === 0) {
      return { id: ref.id, state, version: found.version, ids: decision.ids ?? {}, changed: false };
    }
    return await advance(tx, behaviour, ref, found, { ...decision, event }, occasion);
  }

  async function advanceIfAccepted(
    tx: Tx,
    ref: ActorRef,
    given: EventObject,
    occasion: Occasion,
    still: () => Promise<boolean>,
  ): Promise<boolean> {
    const behaviour = behaviourOf(ref.kind);
    const found = await behaviour.lock(tx, ref);
    if (!(await still()) || !found) return false;
    const event = await complete(tx, behaviour, ref, found, given, occasion);
    if (!accepts(found.snapshot, event)) return false;
    await advance(tx, behaviour, ref, found, { event, changedFields: [] }, occasion);
    return true;
  }

  /** Makes an actor, in the state in which its machine starts. */
  async function begin(
    tx: Tx,
    behaviour: AnyBehaviour,
    ref: ActorRef,
    { machine, input, columns, customerId, follow }: Beginning,
    occasion: Occasion,
  ): Promise<Answer> {
    const [snapshot, actions] = initialTransition(machine, input);
    const after = { state: stateName(snapshot), version: 1 };
    await behaviour.insert(tx, ref, { columns, snapshot, version: 1, at: occasion.at });
    const { type } = behaviour.birth;
    const changedFields = columnNames(columns);
    const occurrence = {
      ref,
      customerId,
      eventType: type,
      before: undefined,
      after,
      changedFields,
      ...occasion,
    };
    await record(tx, occurrence, actions as RecordedAction[]);
    await act(tx, behaviour, occurrence, columns, actions as RecordedAction[]);
    await follow?.({ tx, occurrence, row: columns, tell: teller(tx, occurrence) });
    return { id: ref.id, ...after, ids: {}, changed: true };
  }

  /** Takes an actor from one state to the next, with everything that follows. */
  async function advance(
    tx: Tx,
    behaviour: AnyBehaviour,
    ref: ActorRef,
    { machine, snapshot: before, version, row }: Found<unknown>,
    { event, changedFields, reason, columns, write, ids }: Decision,
    occasion: Occasion,
  ): Promise<Answer> {
    const [snapshot, actions] = transition(machine, before, event);
    const after = { state: stateName(snapshot), version: version + 1 };
    const change = { columns: columns ?? {}, snapshot, version: after.version, at: occasion.at };
    const occurrence = {
      ref,
      customerId: behaviour.customerOf(ref, row),
      eventType: event.type,
      before: { state: stateName(before), version },
      after,
      changedFields,
      reason,
      ...occasion,
    };
    await Promise.all([
      behaviour.update(tx, ref, change),
      write?.(tx),
      record(tx, occurrence, actions as RecordedAction[]),
    ]);
    await act(tx, behaviour, occurrence, row, actions as RecordedAction[]);
    return { id: ref.id, ...after, ids: ids ?? {}, changed: true };
  }

  /** How an actor tells another one something in its own transaction: as the service itself. */
  function teller(tx: Tx, occurrence: Occurrence) {
    return async (to: ActorRef, { type, ...fields }: Command) => {
      const known = acceptedCommand(behaviourOf(to.kind), type);
      if (!known) throw new Error(`A ${to.kind} knows no command ${type}`);
      const input = parseInput(known.input, fields, `${type} ${to.id}`) as never;
      const { traceparent, at } = occurrence;
      return await perform(tx, to, type, input, { by: systemPrincipal(to.storeId), traceparent, at });
    };
  }

  /** Carries out the actions that are the kind's own. */
  async function act(
    tx: Tx,
    behaviour: AnyBehaviour,
    occurrence: Occurrence,
    row: unknown,
    actions: readonly RecordedAction[],
  ): Promise<void> {
    const tell = teller(tx, occurrence);
    for (const { type, params } of actions) {
      if (behaviour.actions && Object.hasOwn(behaviour.actions, type)) {
        await behaviour.actions[type]?.({ tx, occurrence, row, tell } as Step<unknown>, params as never);
      }
    }
  }

  return { behaviourOf, perform, advanceIfAccepted };
}

/** What a kind says about one of its commands, its birth included; undefined for one that it does not know. */
export function acceptedCommand(behaviour: AnyBehaviour, type: string) {
  return type === behaviour.birth.type ? behaviour.birth : handlerOf(behaviour, type);
}

function handlerOf({ handlers }: AnyBehaviour, type: string) {
  return Object.hasOwn(handlers, type) ? handlers[type] : undefined;
}

async function complete(
  tx: Tx,
  behaviour: AnyBehaviour,
  ref: ActorRef,
  { row }: Found<unknown>,
  event: EventObject,
  { at }: Occasion,
): Promise<EventObject> {
  return await behaviour.complete?.({ tx, ref, row, now: at }, event) ?? event;
}

/** What the guards say of an event that has transitions in this state and may take none of them. */
function refusalsOf(
  { _nodes }: AnyMachineSnapshot,
  { type }: EventObject,
  { guards = {} }: AnyBehaviour,
): string[] {
  const candidates = _nodes.flatMap(({ transitions }) => transitions.get(type) ?? []);
  return candidates.flatMap(({ guard }) => (typeof guard === "string" && guards[guard]) || []);
}

/** A machine in a final state takes nothing, whatever its transitions say. */
function accepts(snapshot: AnyMachineSnapshot, event: EventObject): boolean {
  return snapshot.status === "active" && snapshot.can(event);
}
