/**
 * The runtime makes machines durable: one command is one transaction, in which the actor's row is locked, its
 * snapshot rebuilt, the event put to the machine, and everything that follows from it stored.
 */
import { type AnyMachineSnapshot, type EventObject, initialTransition, transition } from "xstate";
import type { Sql, Tx } from "../db/connect.ts";
import { violatedConstraint } from "../db/errors.ts";
import { type ClaimedTimer, takeTimer } from "../db/timers.ts";
import { authorize } from "./authority.ts";
import type { Behaviour, Decision, Found } from "./behaviour.ts";
import { columnNames } from "./changes.ts";
import { DomainError } from "./errors.ts";
import { answerOnce } from "./idempotency.ts";
import { parseInput, uuid } from "./input.ts";
import { type Principal, systemPrincipal } from "./principal.ts";
import type { ActorKind, ActorRef, Actors, Answer, CommandContext } from "./protocol.ts";
import { type Action, record, stateName } from "./record.ts";
import { newTraceId } from "./trace.ts";
import { ANSWER_LIMIT_MS, transact } from "./transaction.ts";

/** What the worker needs beside the actors' door. */
export interface Runtime extends Actors {
  /** Puts a due timer's event to its actor; one that comes too late is dropped, and the answer is false. */
  fire(timer: ClaimedTimer): Promise<boolean>;
}

// A machine's row type is its behaviour's own affair: the runtime only hands rows from `lock` to `decide`.
// deno-lint-ignore no-explicit-any
export type AnyBehaviour = Behaviour<any>;

export interface RuntimeOptions {
  behaviours: Record<string, AnyBehaviour>;
  /** Called after each commit: there may be something to relay or to perform. */
  committed?: () => void;
  clock?: () => Date;
  /** How long PostgreSQL may take over a command before it counts as away, in milliseconds. */
  answerLimitMs?: number;
}

/** @param sql a pool of the role customer_api */
export function createRuntime(sql: Sql, options: RuntimeOptions): Runtime {
  const { behaviours, committed, clock: now = () => new Date(), answerLimitMs = ANSWER_LIMIT_MS } = options;

  function behaviourOf(kind: ActorKind): AnyBehaviour {
    const found = behaviours[kind];
    if (!found) throw new Error(`There is no behaviour for ${kind}`);
    return found;
  }

  async function inStore<T>(storeId: string, run: (tx: Tx) => Promise<T>): Promise<T> {
    const result = await transact(sql, storeId, answerLimitMs, run);
    committed?.();
    return result;
  }

  return {
    async send(ref, command, context) {
      const behaviour = behaviourOf(ref.kind);
      const { type, ...fields } = command;
      const known = type === behaviour.birth.type ? behaviour.birth : handlerOf(behaviour, type);
      if (!known) {
        throw new DomainError(
          "INVALID_INPUT",
          `Cannot ${type} ${ref.id}: a ${ref.kind} knows no such command`,
        );
      }
      const id = parseInput(uuid, ref.id, `${type} ${ref.kind}`);
      const checked = { ...ref, id };
      authorize(checked, type, known.by, context.by);
      const input = parseInput(known.input, fields, `${type} ${id}`);
      try {
        return await inStore(ref.storeId, (tx) => {
          const at = now();
          const run = () => perform(tx, behaviour, checked, type, input as never, context, at);
          return answerOnce(tx, checked, command, context, at, run);
        });
      } catch (error) {
        throw asConflict(error, behaviour, `${type} ${id}`);
      }
    },

    async fire(timer) {
      const behaviour = behaviourOf(timer.actorKind as ActorKind);
      const ref = { kind: behaviour.kind, storeId: timer.storeId, id: timer.actorId };
      return await inStore(ref.storeId, async (tx) => {
        const found = await behaviour.lock(tx, ref);
        if (!(await takeTimer(tx, timer)) || !found) return false;
        const event = { type: timer.eventType };
        if (!accepts(found.snapshot, event)) return false;
        const occasion = { by: systemPrincipal(ref.storeId), traceId: newTraceId(), at: now() };
        await advance(tx, behaviour, ref, found, { event, changedFields: [] }, occasion);
        return true;
      });
    },
  };
}

function handlerOf({ handlers }: AnyBehaviour, type: string) {
  return Object.hasOwn(handlers, type) ? handlers[type] : undefined;
}

/** What every step of an actor is told beside its event. */
interface Occasion {
  by: Principal;
  traceId: string;
  at: Date;
}

async function perform(
  tx: Tx,
  behaviour: AnyBehaviour,
  ref: ActorRef,
  type: string,
  input: never,
  { by, traceId, expectedVersion }: CommandContext,
  at: Date,
): Promise<Answer> {
  const occasion = { by, traceId, at };
  const handler = handlerOf(behaviour, type);
  if (!handler) return await begin(tx, behaviour, ref, input, occasion);

  const found = await behaviour.lock(tx, ref);
  if (!found) throw new DomainError("NOT_FOUND", `Cannot find ${ref.kind} ${ref.id}`);
  if (expectedVersion !== undefined && expectedVersion !== found.version) {
    throw new DomainError(
      "CONFLICT",
      `Cannot ${type} ${ref.id}: it is at version ${found.version}, not ${expectedVersion}`,
    );
  }
  const refused = new DomainError(
    "REFUSED_IN_STATE",
    `Cannot ${type} ${ref.id}: ${stateName(found.snapshot)}`,
  );
  if (found.snapshot.status !== "active") throw refused; // whatever it comes to
  const decision = await handler.decide({ tx, ref, row: found.row, by, now: at }, input);
  if (!accepts(found.snapshot, decision.event)) throw refused;
  if (decision.changedFields.length === 0) {
    return { id: ref.id, state: stateName(found.snapshot), version: found.version, ids: decision.ids ?? {} };
  }
  return await advance(tx, behaviour, ref, found, decision, occasion);
}

/** Makes an actor, in the state in which its machine starts. */
async function begin(
  tx: Tx,
  behaviour: AnyBehaviour,
  ref: ActorRef,
  input: never,
  occasion: Occasion,
): Promise<Answer> {
  const { birth, machine } = behaviour;
  const columns = birth.columns(input);
  const [snapshot, actions] = initialTransition(machine);
  const after = { state: stateName(snapshot), version: 1 };
  await behaviour.insert(tx, ref, { columns, snapshot, version: 1, at: occasion.at });
  const occurrence = {
    ref,
    eventType: birth.type,
    before: undefined,
    after,
    changedFields: columnNames(columns),
    ...occasion,
  };
  await record(tx, occurrence, actions as Action[]);
  return { id: ref.id, ...after, ids: {} };
}

/** Takes an actor from one state to the next, with everything that follows. */
async function advance(
  tx: Tx,
  behaviour: AnyBehaviour,
  ref: ActorRef,
  { snapshot: before, version }: Found<unknown>,
  { event, changedFields, columns, write, ids }: Decision,
  occasion: Occasion,
): Promise<Answer> {
  const [snapshot, actions] = transition(behaviour.machine, before, event);
  const after = { state: stateName(snapshot), version: version + 1 };
  const change = { columns: columns ?? {}, snapshot, version: after.version, at: occasion.at };
  const occurrence = {
    ref,
    eventType: event.type,
    before: { state: stateName(before), version },
    after,
    changedFields,
    ...occasion,
  };
  await Promise.all([
    behaviour.update(tx, ref, change),
    write?.(tx),
    record(tx, occurrence, actions as Action[]),
  ]);
  return { id: ref.id, ...after, ids: ids ?? {} };
}

/** A machine in a final state takes nothing, whatever its transitions say. */
function accepts(snapshot: AnyMachineSnapshot, event: EventObject): boolean {
  return snapshot.status === "active" && snapshot.can(event);
}

function asConflict(error: unknown, { conflicts }: AnyBehaviour, purpose: string): unknown {
  const reason = conflicts[violatedConstraint(error) ?? ""];
  return reason ? new DomainError("ALREADY_EXISTS", `Cannot ${purpose}: ${reason}`) : error;
}
