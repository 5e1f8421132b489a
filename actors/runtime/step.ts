/** One step of an actor inside its transaction: from a command or an event to everything that follows from it. */
import { type AnyMachineSnapshot, type EventObject, initialTransition, transition } from "xstate";
import type { Tx } from "../../db/connect.ts";
import { authorizeSubject } from "./authorization.ts";
import type { Beginning, Behavior, Decision, Found, Step } from "./behavior.ts";
import { columnNames } from "./changes.ts";
import { DomainError } from "../../domain/errors.ts";
import { parseInput } from "../../domain/input.ts";
import { type Principal, systemPrincipal } from "../../domain/principal.ts";
import type { ActorKind, ActorRef, Answer, Command } from "./protocol.ts";
import { type RecordedAction, type RecordedEvent, stateName } from "./recorded_event.ts";
import { record, type ToMessages } from "./record.ts";

// A machine's row type is its behavior's own affair: the runtime only hands rows from one of its functions to
// the next.
// deno-lint-ignore no-explicit-any
export type AnyBehavior = Behavior<any>;

/** What every step of an actor is told beside its event. */
export interface Occasion {
  by: Principal;
  traceparent: string;
  at: Date;
}

export interface Steps {
  behaviorOf(kind: ActorKind): AnyBehavior;
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

export function createSteps(
  behaviors: Readonly<Record<string, AnyBehavior>>,
  toMessages: ToMessages,
): Steps {
  function behaviorOf(kind: ActorKind): AnyBehavior {
    const found = Object.hasOwn(behaviors, kind) ? behaviors[kind] : undefined;
    if (!found) throw new Error(`There is no behavior for ${kind}`);
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
    const behavior = behaviorOf(ref.kind);
    const scene = { tx, ref, by: occasion.by, now: occasion.at };
    const handler = handlerOf(behavior, type);
    if (!handler) {
      const beginning = await behavior.birth.begin(scene, input);
      if (!("machine" in beginning)) return beginning;
      return await begin(tx, behavior, ref, beginning, occasion);
    }

    const found = await behavior.lock(tx, ref);
    if (!found) throw new DomainError("NOT_FOUND", `Cannot find ${ref.kind} ${ref.id}`);
    authorizeSubject(ref, type, behavior.customerOf(ref, found.row), occasion.by);
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
    const event = await complete(tx, behavior, ref, found, decision.event, occasion);
    if (!accepts(found.snapshot, event)) throw refused(refusalsOf(found.snapshot, event, behavior));
    if (decision.changedFields.length === 0) {
      return { id: ref.id, state, version: found.version, ids: decision.ids ?? {}, changed: false };
    }
    return await advance(tx, behavior, ref, found, { ...decision, event }, occasion);
  }

  async function advanceIfAccepted(
    tx: Tx,
    ref: ActorRef,
    given: EventObject,
    occasion: Occasion,
    still: () => Promise<boolean>,
  ): Promise<boolean> {
    const behavior = behaviorOf(ref.kind);
    const found = await behavior.lock(tx, ref);
    if (!(await still()) || !found) return false;
    const event = await complete(tx, behavior, ref, found, given, occasion);
    if (!accepts(found.snapshot, event)) return false;
    await advance(tx, behavior, ref, found, { event, changedFields: [] }, occasion);
    return true;
  }

  /** Makes an actor, in the state in which its machine starts. */
  async function begin(
    tx: Tx,
    behavior: AnyBehavior,
    ref: ActorRef,
    { machine, input, columns, customerId, follow }: Beginning,
    occasion: Occasion,
  ): Promise<Answer> {
    const [snapshot, actions] = initialTransition(machine, input);
    const after = { state: stateName(snapshot), version: 1 };
    await behavior.insert(tx, ref, { columns, snapshot, version: 1, at: occasion.at });
    const { type } = behavior.birth;
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
    await record(tx, occurrence, actions as RecordedAction[], toMessages);
    await act(tx, behavior, occurrence, columns, actions as RecordedAction[]);
    await follow?.({ tx, occurrence, row: columns, tell: teller(tx, occurrence) });
    return { id: ref.id, ...after, ids: {}, changed: true };
  }

  /** Takes an actor from one state to the next, with everything that follows. */
  async function advance(
    tx: Tx,
    behavior: AnyBehavior,
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
      customerId: behavior.customerOf(ref, row),
      eventType: event.type,
      before: { state: stateName(before), version },
      after,
      changedFields,
      reason,
      ...occasion,
    };
    await Promise.all([
      behavior.update(tx, ref, change),
      write?.(tx),
      record(tx, occurrence, actions as RecordedAction[], toMessages),
    ]);
    await act(tx, behavior, occurrence, row, actions as RecordedAction[]);
    return { id: ref.id, ...after, ids: ids ?? {}, changed: true };
  }

  /** How an actor tells another one something in its own transaction: as the service itself. */
  function teller(tx: Tx, occurrence: RecordedEvent) {
    return async (to: ActorRef, { type, ...fields }: Command) => {
      const known = acceptedCommand(behaviorOf(to.kind), type);
      if (!known) throw new Error(`A ${to.kind} knows no command ${type}`);
      const input = parseInput(known.input, fields, `${type} ${to.id}`) as never;
      const { traceparent, at } = occurrence;
      return await perform(tx, to, type, input, { by: systemPrincipal(to.storeId), traceparent, at });
    };
  }

  /** Carries out the actions that are the kind's own. */
  async function act(
    tx: Tx,
    behavior: AnyBehavior,
    occurrence: RecordedEvent,
    row: unknown,
    actions: readonly RecordedAction[],
  ): Promise<void> {
    const tell = teller(tx, occurrence);
    for (const { type, params } of actions) {
      if (behavior.actions && Object.hasOwn(behavior.actions, type)) {
        await behavior.actions[type]?.({ tx, occurrence, row, tell } as Step<unknown>, params as never);
      }
    }
  }

  return { behaviorOf, perform, advanceIfAccepted };
}

/** What a kind says about one of its commands, its birth included; undefined for one that it does not know. */
export function acceptedCommand(behavior: AnyBehavior, type: string) {
  return type === behavior.birth.type ? behavior.birth : handlerOf(behavior, type);
}

function handlerOf({ handlers }: AnyBehavior, type: string) {
  return Object.hasOwn(handlers, type) ? handlers[type] : undefined;
}

async function complete(
  tx: Tx,
  behavior: AnyBehavior,
  ref: ActorRef,
  { row }: Found<unknown>,
  event: EventObject,
  { at }: Occasion,
): Promise<EventObject> {
  return await behavior.complete?.({ tx, ref, row, now: at }, event) ?? event;
}

/** What the guards say of an event that has transitions in this state and may take none of them. */
function refusalsOf(
  { _nodes }: AnyMachineSnapshot,
  { type }: EventObject,
  { guards = {} }: AnyBehavior,
): string[] {
  const candidates = _nodes.flatMap(({ transitions }) => transitions.get(type) ?? []);
  return candidates.flatMap(({ guard }) => (typeof guard === "string" && guards[guard]) || []);
}

/** A machine in a final state takes nothing, whatever its transitions say. */
function accepts(snapshot: AnyMachineSnapshot, event: EventObject): boolean {
  return snapshot.status === "active" && snapshot.can(event);
}
