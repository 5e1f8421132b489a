/**
 * Durable state machines on PostgreSQL. A command is one transaction: it locks the actor's row, rebuilds the XState
 * snapshot from it, asks the machine with XState's pure `transition`, and stores the new state together with
 * everything that follows: the journal, messages (outbox), effects and timers. The runtime knows no kind of actor.
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
 *     if (!row) return undefined;
 *     const snapshot = light.resolveState({ value: row.state, context: {} });
 *     return { row, version: row.version, machine: light, snapshot };
 *   },
 *   insert: async (tx, { storeId, id }, { snapshot, version }) =>
 *     void await tx`insert into lights values (${storeId}, ${id}, ${snapshot.value}, ${version})`,
 *   update: async (tx, { id }, { snapshot, version }) =>
 *     void await tx`update lights set state = ${snapshot.value}, version = ${version} where id = ${id}`,
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
import { type FixedClock, readClock } from "../../db/clock.ts";
import type { Sql, Tx } from "../../db/connect.ts";
import { violatedConstraint } from "../../db/errors.ts";
import { type ClaimedTimer, takeTimer } from "../../db/timers.ts";
import { DomainError } from "../../domain/errors.ts";
import { parseInput, uuid } from "../../domain/input.ts";
import { systemPrincipal } from "../../domain/principal.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import { activeTraceparent } from "../../telemetry/spans.ts";
import { authorize, authorizeSubject } from "./authorization.ts";
import type { AnyBehavior } from "./behavior.ts";
import { answerOnce } from "./idempotency.ts";
import type {
  ActorRef,
  Actors,
  Answer,
  Command,
  CommandContext,
  CommandMap,
  NewActorRef,
} from "./protocol.ts";
import { purposeOf } from "./purpose.ts";
import { advanceIfAccepted, type Application, behaviorOf, findCommand, perform } from "./step.ts";
import { watchCommand } from "./telemetry.ts";
import { ANSWER_LIMIT_MS, transact } from "./transaction.ts";

/** `Actors`, and what the worker needs in addition. */
export interface Runtime<Commands extends CommandMap = CommandMap> extends Actors<Commands> {
  /** Gives the event of a due timer to its actor; false if it is too late and the event is dropped. */
  fire(timer: ClaimedTimer): Promise<boolean>;
}

export interface RuntimeOptions extends Application {
  /** HMAC with SHA-256: hashes idempotency keys, which may contain personal values. */
  hashKey: CryptoKey;
  /** Called after each commit: there may be messages to relay or effects to perform. */
  committed?: () => void;
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
  const runtime = { answerLimitMs: ANSWER_LIMIT_MS, ...options, sql };
  const sendUnchecked: Actors["sendUnchecked"] = (ref, command, context) => {
    const work = () => send(runtime, ref, command, context);
    return watchCommand(ref.kind, command.type, context.traceparent, work);
  };
  return {
    send: sendUnchecked,
    sendUnchecked,
    fire: (timer) => fire(runtime, timer),
  };
}

interface RunningRuntime extends Application {
  sql: Sql;
  hashKey: CryptoKey;
  committed?: () => void;
  clock?: FixedClock;
  answerLimitMs: number;
}

async function send(
  runtime: RunningRuntime,
  ref: ActorRef | NewActorRef,
  command: Command,
  context: CommandContext,
): Promise<Answer> {
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
  authorize(actor, purpose, { by: known.by, role: behavior.role }, context.by);
  const subject = behavior.customerOf(actor);
  if (subject !== undefined) authorizeSubject(purpose, subject, context.by);
  const input = parseInput(known.input, fields, purpose);
  const { by, expectedVersion } = context;
  const traceparent = activeTraceparent() ?? context.traceparent;
  const run = async (tx: Tx) => {
    const scene = { tx, ref: actor, by, readTime: timeReader(tx, runtime.clock), traceparent };
    const work = () => perform(runtime, scene, { type, input, expectedVersion });
    const { clock, hashKey } = runtime;
    return await answerOnce({ tx, clock, hashKey }, { purpose, asked, command, context }, work);
  };
  try {
    return await inStore(runtime, ref.storeId, run, context.wanted);
  } catch (error) {
    throw asAlreadyExists(error, behavior, purpose);
  }
}

async function fire(runtime: RunningRuntime, timer: ClaimedTimer): Promise<boolean> {
  const { storeId, actorKind, actorId } = timer;
  const ref = { kind: actorKind, storeId, id: actorId };
  const traceparent = activeTraceparent() ?? timer.traceparent ?? newTraceparent();
  return await inStore(runtime, storeId, async (tx) => {
    const readTime = timeReader(tx, runtime.clock);
    const scene = { tx, ref, by: systemPrincipal(storeId), readTime, traceparent };
    // The actor is locked before its timers, here as in every command.
    return await advanceIfAccepted(runtime, scene, timer.event, () => takeTimer(tx, timer));
  });
}

/** Reads the time of a step once, when it is first needed. */
function timeReader(tx: Tx, clock: FixedClock | undefined): () => Promise<Date> {
  let time: Promise<Date> | undefined;
  return () => time ??= readClock(tx, clock);
}

async function inStore<T>(
  { sql, answerLimitMs, committed }: RunningRuntime,
  storeId: string,
  run: (tx: Tx) => Promise<T>,
  wanted?: () => boolean,
): Promise<T> {
  const result = await transact(sql, storeId, run, { limitMs: answerLimitMs, wanted });
  committed?.();
  return result;
}

function asAlreadyExists(error: unknown, { conflicts }: AnyBehavior, purpose: string): unknown {
  const reason = conflicts[violatedConstraint(error) ?? ""];
  return reason ? new DomainError("ALREADY_EXISTS", `Cannot ${purpose}: ${reason}`) : error;
}
