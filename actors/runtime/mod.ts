/**
 * The runtime makes machines durable: one command is one transaction, in which the actor's row is locked, its
 * snapshot rebuilt, the event put to the machine, and everything that follows from it stored.
 */
import { v7 as newId } from "uuid";
import type { Sql, Tx } from "../../db/connect.ts";
import { violatedConstraint } from "../../db/errors.ts";
import { type ClaimedTimer, takeTimer } from "../../db/timers.ts";
import { activeTraceparent } from "../../telemetry/spans.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import { authorize, authorizeSubject } from "./authorization.ts";
import { DomainError } from "../../domain/errors.ts";
import { answerOnce } from "./idempotency.ts";
import { parseInput, uuid } from "../../domain/input.ts";
import { systemPrincipal } from "../../domain/principal.ts";
import type {
  ActorKind,
  ActorRef,
  Actors,
  Answer,
  Command,
  CommandContext,
  NewActorRef,
} from "./protocol.ts";
import { acceptedCommand, type AnyBehavior, createSteps } from "./step.ts";
import type { ToMessages } from "./record.ts";
import { ANSWER_LIMIT_MS, transact } from "./transaction.ts";
import { watchCommand } from "./telemetry.ts";

/** What the worker needs beside the actors' door. */
export interface Runtime extends Actors {
  /** Puts a due timer's event to its actor; one that comes too late is dropped, and the answer is false. */
  fire(timer: ClaimedTimer): Promise<boolean>;
}

export interface RuntimeOptions {
  behaviors: Readonly<Record<string, AnyBehavior>>;
  toMessages: ToMessages;
  /** Called after each commit: there may be something to relay or to perform. */
  committed?: () => void;
  clock?: () => Date;
  /** How long PostgreSQL may take over a command before it counts as away, in milliseconds. */
  answerLimitMs?: number;
}

/** @param sql a pool of the role customer_api */
export function createRuntime(sql: Sql, options: RuntimeOptions): Runtime {
  const { behaviors, toMessages, committed, clock: now = () => new Date(), answerLimitMs = ANSWER_LIMIT_MS } =
    options;
  const steps = createSteps(behaviors, toMessages);

  async function inStore<T>(
    storeId: string,
    run: (tx: Tx) => Promise<T>,
    wanted?: () => boolean,
  ): Promise<T> {
    const result = await transact(sql, storeId, answerLimitMs, run, wanted);
    committed?.();
    return result;
  }

  /** Carries out a command of a type that the actor's kind knows. */
  async function carryOut(
    behavior: AnyBehavior,
    known: NonNullable<ReturnType<typeof acceptedCommand>>,
    ref: ActorRef | NewActorRef,
    command: Command,
    context: CommandContext,
  ): Promise<Answer> {
    const { type, ...fields } = command;
    const asked = "id" in ref ? { ...ref, id: parseInput(uuid, ref.id, `${type} ${ref.kind}`) } : ref;
    const actor = { id: newId(), ...asked };
    authorize(actor, type, known.by, behavior.role, context.by);
    const subject = behavior.customerOf(actor);
    if (subject !== undefined) authorizeSubject(actor, type, subject, context.by);
    const input = parseInput(known.input, fields, `${type} ${actor.id}`) as never;
    const traceparent = activeTraceparent() ?? context.traceparent;
    try {
      return await inStore(ref.storeId, (tx) => {
        const occasion = { by: context.by, traceparent, at: now() };
        const perform = () => steps.perform(tx, actor, type, input, occasion, context.expectedVersion);
        return answerOnce(tx, asked, command, context, occasion.at, perform);
      }, context.wanted);
    } catch (error) {
      throw asConflict(error, behavior, `${type} ${actor.id}`);
    }
  }

  return {
    async send(ref, command, context) {
      const behavior = steps.behaviorOf(ref.kind);
      const known = acceptedCommand(behavior, command.type);
      if (!known) {
        throw new DomainError(
          "INVALID_INPUT",
          `Cannot ${command.type}: a ${ref.kind} knows no such command`,
        );
      }
      const work = () => carryOut(behavior, known, ref, command, context);
      return await watchCommand(ref.kind, command.type, context.traceparent, work);
    },

    async fire(timer) {
      const { storeId, actorKind, actorId } = timer;
      const ref = { kind: actorKind as ActorKind, storeId, id: actorId };
      const traceparent = activeTraceparent() ?? timer.traceparent ?? newTraceparent();
      return await inStore(storeId, async (tx) => {
        const occasion = { by: systemPrincipal(storeId), traceparent, at: now() };
        // The actor's lock comes before its timers', here as in every command.
        return await steps.advanceIfAccepted(tx, ref, timer.event, occasion, () => takeTimer(tx, timer));
      });
    },
  };
}

function asConflict(error: unknown, { conflicts }: AnyBehavior, purpose: string): unknown {
  const reason = conflicts[violatedConstraint(error) ?? ""];
  return reason ? new DomainError("ALREADY_EXISTS", `Cannot ${purpose}: ${reason}`) : error;
}
