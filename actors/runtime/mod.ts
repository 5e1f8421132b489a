/**
 * Durable state machines on PostgreSQL. A command reads the actor's row, rebuilds the XState snapshot from it, asks the
 * machine with XState's pure `transition`, and stores the new state in one transaction together with everything that
 * follows: the journal, messages (outbox), effects and timers. Either the transaction stores only if the row still has
 * the version that was read, or the row is locked before it is read. The runtime knows no kind of actor.
 *
 * @example An actor with one command
 * ```ts
 * const light = setup({ types: { events: {} as { type: "switch" } } }).createMachine({
 *   id: "light@1",
 *   initial: "off",
 *   states: { off: { on: { switch: "on" } }, on: { on: { switch: "off" } } },
 * });
 * const behavior: Behavior<{ state: string; version: number }> = {
 *   kind: "light",
 *   noun: "light",
 *   purposes: { install: "install", switch: "switch" },
 *   describeState: ({ value }) => `it is ${value}`,
 *   role: "STORE_MANAGER",
 *   creation: {
 *     type: "install",
 *     by: ["STAFF"],
 *     input: z.strictObject({}),
 *     begin: () => ({ machine: light, columns: {}, customerId: undefined }),
 *   },
 *   handlers: {
 *     switch: handler(["STAFF"], z.strictObject({}), () => ({ event: { type: "switch" }, changedFields: ["state"] })),
 *   },
 *   customerOf: () => undefined,
 *   async lock(tx, { storeId, id }) {
 *     const [row] = await tx`select state, version from lights where store_id = ${storeId} and id = ${id} for update`;
 *     return row;
 *   },
 *   restore(row) {
 *     const snapshot = light.resolveState({ value: row.state, context: {} });
 *     return { row, version: row.version, machine: light, snapshot };
 *   },
 *   rows: {
 *     insert: async (tx, { storeId, id }, { snapshot, version }) =>
 *       void await tx`insert into lights values (${storeId}, ${id}, ${snapshot.value}, ${version})`,
 *     update: async (tx, { id }, { snapshot, version }) =>
 *       void await tx`update lights set state = ${snapshot.value}, version = ${version} where id = ${id}`,
 *   },
 *   conflicts: {},
 * };
 * const actors = createRuntime<{ light: { type: "install" } | { type: "switch" } }>(sql, {
 *   behaviors: { light: behavior },
 *   hashKey,
 *   toMessages: () => undefined,
 * });
 * const { id } = await actors.send({ kind: "light", storeId }, { type: "install" }, { by, traceparent });
 * await actors.send({ kind: "light", storeId, id }, { type: "switch" }, { by, traceparent });
 * ```
 */
import { v7 as newId } from "uuid";
import { type ActorFacts, createActorReads } from "../../db/actor_reads.ts";
import type { FixedClock } from "../../db/clock.ts";
import { createCommits } from "../../db/commits.ts";
import type { Sql, Tx } from "../../db/connect.ts";
import { Overloaded, violatedConstraint } from "../../db/errors.ts";
import { inTime } from "../../db/time_limit.ts";
import { type ClaimedTimer, takeTimer } from "../../db/timers.ts";
import type { ReadSql } from "../../db/store_reader.ts";
import { DomainError } from "../../domain/errors.ts";
import { parseInput, uuid } from "../../domain/input.ts";
import { systemPrincipal } from "../../domain/principal.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import { activeTraceparent } from "../../telemetry/spans.ts";
import { authorize, authorizeSubject } from "./authorization.ts";
import type { AnyBehavior } from "./behavior.ts";
import { hashRequest, repeatedAnswer } from "./idempotency.ts";
import type {
  ActorRef,
  Actors,
  Answer,
  Changed,
  Command,
  CommandContext,
  CommandMap,
  NewActorRef,
} from "./protocol.ts";
import { purposeOf } from "./purpose.ts";
import {
  type AcceptedCommand,
  advanceIfAccepted,
  type Application,
  behaviorOf,
  findCommand,
  perform,
  roleOf,
} from "./step.ts";
import { NotStored, sharedStorage, type Storage, storageIn } from "./storage.ts";
import { watchCommand } from "./telemetry.ts";
import { ANSWER_LIMIT_MS, canRunAgain, transact } from "./transaction.ts";
import { createTurns, type Turn } from "./turns.ts";

/** `Actors`, and what the worker needs in addition. */
export interface Runtime<Commands extends CommandMap = CommandMap> extends Actors<Commands> {
  /** Gives the event of a due timer to its actor; false if it is too late and the event is dropped. */
  fire(timer: ClaimedTimer): Promise<boolean>;
}

export interface RuntimeOptions extends Application {
  /** HMAC with SHA-256: hashes idempotency keys, which may contain personal values. */
  hashKey: CryptoKey;
  /** Called after each commit: there may be messages to relay or effects to perform. */
  committed?: (storeId: string) => void;
  /** Absent: PostgreSQL's clock. */
  clock?: FixedClock;
  /** How long PostgreSQL may take over a command before it counts as unreachable, in milliseconds. */
  answerLimitMs?: number;
}

/** @param sql a pool of the role customer_api */
export function createRuntime<Commands extends CommandMap>(
  sql: Sql,
  options: RuntimeOptions,
): Runtime<Commands> {
  const runtime = { answerLimitMs: ANSWER_LIMIT_MS, ...options, sql, ...sharedParts(sql) };
  const sendWatched = (ref: ActorRef | NewActorRef, command: Command, context: SendingContext) => {
    const work = () => send(runtime, ref, command, context);
    return watchCommand(ref.kind, command.type, context.traceparent, work);
  };
  const sendUnchecked: Actors["sendUnchecked"] = async (ref, command, context) =>
    (await sendWatched(ref, command, context)).answer;
  const sendAndRead = (ref: ActorRef | NewActorRef, command: Command, context: CommandContext) =>
    sendWatched(ref, command, { ...context, whole: true });
  return {
    send: sendUnchecked,
    sendUnchecked,
    async sendAndReadWith<Actor>(
      ref: ActorRef | NewActorRef,
      command: Command,
      context: CommandContext,
      read: (sql: ReadSql, answer: Answer) => Promise<Actor>,
    ): Promise<Changed<Actor>> {
      let actor: Actor | undefined;
      const inCommand = async (sql: ReadSql, answer: Answer) => void (actor = await read(sql, answer));
      const { answer } = await sendWatched(ref, command, { ...context, inCommand });
      return { answer, actor };
    },
    sendAndRead: sendAndRead as Runtime<Commands>["sendAndRead"],
    fire: (timer) => fire(runtime, timer),
  };
}

interface SendingContext extends CommandContext {
  /** Whether the caller wants the actor as the command leaves it. */
  whole?: boolean;
  /** Reads in the command's transaction, where it has one. */
  inCommand?: (sql: ReadSql, answer: Answer) => Promise<void>;
}

const sharedParts = (sql: Sql) => ({
  read: createActorReads(sql),
  store: createCommits(sql),
  takeTurn: createTurns<ActorFacts>(),
});

interface RunningRuntime extends Application, ReturnType<typeof sharedParts> {
  sql: Sql;
  hashKey: CryptoKey;
  committed?: (storeId: string) => void;
  clock?: FixedClock;
  answerLimitMs: number;
}

async function send(
  runtime: RunningRuntime,
  ref: ActorRef | NewActorRef,
  command: Command,
  context: SendingContext,
): Promise<AcceptedCommand> {
  const { type, ...fields } = command;
  const behavior = behaviorOf(runtime, ref.kind);
  const known = findCommand(behavior, type);
  if (!known) {
    throw new DomainError("INVALID_INPUT", `Cannot change a ${behavior.noun}: there is no such command`);
  }
  const asked = "id" in ref
    ? { ...ref, id: parseInput(uuid, ref.id, `${purposeOf(behavior, type)}: its ID`) }
    : ref;
  const actor = { id: newId(), ...asked };
  const purpose = purposeOf(behavior, type, "id" in asked ? asked.id : undefined);
  authorize(actor, purpose, { by: known.by, role: roleOf(behavior, type) }, context.by);
  const subject = behavior.customerOf(actor);
  if (subject !== undefined) authorizeSubject(purpose, subject, context.by);
  const input = parseInput(known.input, fields, purpose);
  const { by, expectedVersion, inCommand, whole = false } = context;
  const traceparent = activeTraceparent() ?? context.traceparent;
  const { clock, hashKey } = runtime;
  const key = await hashRequest(hashKey, { purpose, asked, command, context });
  const scene = { ref: actor, by, traceparent, clock, key, whole };
  const step = async (storage: Storage) => {
    const accepted = await perform(runtime, { ...scene, storage }, { type, input, expectedVersion });
    if (storage.tx) await inCommand?.(storage.tx, accepted.answer);
    return accepted;
  };
  try {
    return await settle(runtime, actor, step, context.wanted);
  } catch (error) {
    if (key && error instanceof NotStored && error.outcome.type === "repeated") {
      return { answer: repeatedAnswer(error.outcome.stored, key, purpose), actor: undefined };
    }
    throw asAlreadyExists(error, behavior, purpose);
  }
}

async function fire(runtime: RunningRuntime, timer: ClaimedTimer): Promise<boolean> {
  const { storeId, actorKind, actorId } = timer;
  const ref = { kind: actorKind, storeId, id: actorId };
  const traceparent = activeTraceparent() ?? timer.traceparent ?? newTraceparent();
  const { sql, answerLimitMs, clock, committed } = runtime;
  const run = async (tx: Tx) => {
    const scene = { storage: storageIn(tx), ref, by: systemPrincipal(storeId), traceparent, clock };
    // The actor is locked before its timers, here as in every command.
    return await advanceIfAccepted(runtime, scene, timer.event, () => takeTimer(tx, timer));
  };
  const fired = await transact(sql, storeId, run, { limitMs: answerLimitMs });
  committed?.(storeId);
  return fired;
}

type Step<T> = (storage: Storage) => Promise<T>;

/**
 * Runs a step until its decision is stored. Commands of one actor take turns, which do not depend on the database.
 *
 * @throws {Overloaded} nothing waits for the answer any longer
 */
async function settle<T>(
  runtime: RunningRuntime,
  ref: ActorRef,
  step: Step<T>,
  wanted = () => true,
): Promise<T> {
  const { answerLimitMs, takeTurn, committed } = runtime;
  let givenUp = false;
  const isWanted = () => !givenUp && wanted();
  const isShared = "rowOf" in behaviorOf(runtime, ref.kind).rows;
  const work = isShared
    ? takeTurn(
      `${ref.kind} ${ref.storeId} ${ref.id}`,
      (turn) => decide({ runtime, turn, storeId: ref.storeId, wanted: isWanted }, step),
    )
    : inTransaction(runtime, ref.storeId, step, isWanted);
  try {
    const result = await inTime(work, answerLimitMs);
    committed?.(ref.storeId);
    return result;
  } finally {
    givenUp = true;
  }
}

/** Decisions on rows that others have changed meanwhile, before the step locks its actor. */
const DECISIONS = 3;

interface Deciding {
  runtime: RunningRuntime;
  turn: Turn<ActorFacts>;
  storeId: string;
  wanted: () => boolean;
}

/** Runs a step in calls that it shares with others, and in a transaction of its own where others keep it from that. */
async function decide<T>(
  { runtime, turn, storeId, wanted }: Deciding,
  step: Step<T>,
): Promise<T> {
  const isLast = ({ outcome: { type } }: NotStored, attempt: number) =>
    type === "locked" || (type === "stale" && attempt === DECISIONS);
  for (let attempt = 1;; attempt++) {
    const storage = sharedStorage(runtime.read, runtime.store, wanted, turn);
    try {
      return await step(storage);
    } catch (error) {
      if (storage.hasGuessed?.() && error instanceof DomainError) continue;
      if (error instanceof NotStored && isLast(error, attempt)) break;
      const isStale = error instanceof NotStored && error.outcome.type === "stale";
      if (!isStale && !(await canRunAgain(error, attempt, wanted))) throw error;
    }
  }
  return await inTransaction(runtime, storeId, step, wanted);
}

/** A group whose deletion the step has not seen is the only reason to run a step again that holds the actor's lock. */
async function inTransaction<T>(
  { sql, answerLimitMs }: RunningRuntime,
  storeId: string,
  step: Step<T>,
  wanted: () => boolean,
): Promise<T> {
  const limits = { limitMs: answerLimitMs, wanted };
  for (let attempt = 1;; attempt++) {
    try {
      return await transact(sql, storeId, (tx) => step(storageIn(tx)), limits);
    } catch (error) {
      if (!(error instanceof NotStored) || error.outcome.type !== "stale") throw error;
      if (attempt === DECISIONS) throw new Overloaded(`changed ${attempt} times while a command was decided`);
    }
  }
}

function asAlreadyExists(error: unknown, { conflicts }: AnyBehavior, purpose: string): unknown {
  const violated = error instanceof NotStored && error.outcome.type === "violated"
    ? error.outcome.constraint
    : violatedConstraint(error);
  const reason = conflicts[violated ?? ""];
  return reason ? new DomainError("ALREADY_EXISTS", `Cannot ${purpose}: ${reason}`) : error;
}
