/** One step of an actor: a command or an event, and everything that follows from it. */
import type { AnyMachineSnapshot, EventObject } from "xstate";
import type { ActorFacts, ActorQuestion, WholeActor } from "../../db/actor_reads.ts";
import type { Commit } from "../../db/commits.ts";
import { readClock } from "../../db/clock.ts";
import { DomainError } from "../../domain/errors.ts";
import { parseInput } from "../../domain/input.ts";
import { type RoleName, systemPrincipal } from "../../domain/principal.ts";
import { planActions, type ToMessages } from "./action_plan.ts";
import { authorizeSubject } from "./authorization.ts";
import type {
  AnyBehavior,
  BatchedRows,
  Beginning,
  Change,
  Decision,
  Found,
  NeededFacts,
} from "./behavior.ts";
import { columnNames } from "./changes.ts";
import { refusePersonalData } from "./free_text.ts";
import { answeredKey } from "./idempotency.ts";
import type { Answer, SendWithin } from "./protocol.ts";
import { purposeOf } from "./purpose.ts";
import { commitOf } from "./record.ts";
import { type RecordedEvent, stateName } from "./recorded_event.ts";
import { NotStored, type Scene, transactionOf } from "./storage.ts";
import { initialTransition, transition } from "./transitions.ts";

/** What every step needs to know about the application. */
export interface Application {
  behaviors: Readonly<Record<string, AnyBehavior>>;
  toMessages: ToMessages;
}

/** A command whose fields have been validated. */
export interface ParsedCommand {
  type: string;
  input: unknown;
  expectedVersion?: number | readonly number[] | undefined;
}

/** @throws {Error} the application has no such kind of actor */
export function behaviorOf({ behaviors }: Application, kind: string): AnyBehavior {
  const found = Object.hasOwn(behaviors, kind) ? behaviors[kind] : undefined;
  if (!found) throw new Error(`There is no behavior for ${kind}`);
  return found;
}

/** The declaration of a command, including the one that creates the actor; undefined for an unknown command. */
export function findCommand(behavior: AnyBehavior, type: string) {
  return type === behavior.creation.type ? behavior.creation : findHandler(behavior, type);
}

/** The role that staff need for a command; STORE_MANAGER always suffices. */
export function roleOf(behavior: AnyBehavior, type: string): RoleName {
  return findHandler(behavior, type)?.role ?? behavior.role;
}

function findHandler({ handlers }: AnyBehavior, type: string) {
  return Object.hasOwn(handlers, type) ? handlers[type] : undefined;
}

/** An accepted command. */
export interface AcceptedCommand {
  answer: Answer;
  /** The actor as the command leaves it, if the scene wants it and the actor's kind returns it. */
  actor: WholeActor | undefined;
}

/**
 * Carries out a validated command.
 *
 * @throws {NotStored} nothing has been changed, and the answer may be stored already
 */
export async function perform(
  application: Application,
  scene: Scene,
  command: ParsedCommand,
): Promise<AcceptedCommand> {
  const { ref, by } = scene;
  const { type, input, expectedVersion } = command;
  const behavior = behaviorOf(application, ref.kind);
  const handler = findHandler(behavior, type);
  if (!handler) return await create(application, scene, input);

  const { found, facts, now } = await find(behavior, scene, handler.needs?.(input));
  const context = { ...scene, now };
  const purpose = purposeOf(behavior, type, ref.id);
  if (!found && type === behavior.creation.type) {
    requireVersion(purpose, 0, expectedVersion);
    return await create(application, scene, input);
  }
  if (!found) throw new DomainError("NOT_FOUND", `Cannot find ${behavior.noun} ${ref.id}`);
  authorizeSubject(purpose, behavior.customerOf(ref, found.row), by);
  const version = countedVersion(behavior, type, found);
  requireVersion(purpose, version, expectedVersion);
  const refused = (reasons: string[] = []) => {
    const why = [behavior.describeState(found.snapshot), ...reasons].join("; ");
    return new DomainError("REFUSED_IN_STATE", `Cannot ${purpose}: ${why}`);
  };
  if (found.snapshot.status !== "active") throw refused(); // before the handler decides
  const decision = await handler.decide({ ...context, row: found.row, facts }, input);
  const event = await complete(behavior, context, found, decision.event);
  if (!accepts(found.snapshot, event)) throw refused(refusalsOf(found.snapshot, event, behavior));
  await refusePersonalData(scene, decision, behavior.customerOf(ref, found.row), purpose);
  if (decision.changedFields.length === 0) {
    if (scene.storage.hasGuessed?.()) throw new NotStored({ type: "stale" });
    const state = stateName(found.snapshot);
    const answer = { id: ref.id, state, version, ids: decision.ids ?? {}, changed: false };
    await keepAnswer(scene, answer, now);
    return { answer, actor: facts.whole };
  }
  return await advance(application, context, found, { ...decision, event, command: type });
}

/** Reads an actor with the facts that the command needs, and locks it where there is a transaction. */
async function find(behavior: AnyBehavior, scene: Scene, needs: NeededFacts = {}) {
  const { storage: { tx, read }, ref } = scene;
  // Both travel in one write, and PostgreSQL runs them in order: the facts are read under the lock.
  const locking = tx && behavior.lock(tx, ref);
  const [locked, facts] = await Promise.all([locking, read(questionOf(scene, needs))]);
  const row = tx ? locked : batchedRows(behavior).rowOf(facts);
  return { found: row && behavior.restore(row), facts, now: timeOf(scene, facts) };
}

function questionOf({ ref, key, clock, whole }: Scene, needs: NeededFacts): ActorQuestion {
  const now = clock?.();
  return { ...ref, ...needs, ...(whole && { whole }), ...(key && { key }), ...(now && { now }) };
}

/** @throws {NotStored} the key has an answer */
function timeOf({ clock }: Scene, { readAt, stored }: ActorFacts): Date {
  if (stored) throw new NotStored({ type: "repeated", stored });
  return clock?.() ?? readAt;
}

function batchedRows({ kind, rows }: AnyBehavior): BatchedRows<unknown> {
  if ("rowOf" in rows) return rows;
  throw new Error(`A ${kind} needs a transaction`);
}

/** Stores the answer to a command that changes nothing under the command's key. */
async function keepAnswer({ key, ref, storage }: Scene, answer: Answer, now: Date): Promise<void> {
  if (key) await storage.store({ storeId: ref.storeId, key: answeredKey(key, answer, now) });
}

async function create(application: Application, scene: Scene, input: unknown): Promise<AcceptedCommand> {
  const { storage: { tx, read }, ref, clock } = scene;
  const behavior = behaviorOf(application, ref.kind);
  const { creation } = behavior;
  const needs = await creation.needs?.(input);
  // A transaction has a clock of its own, so it reads only what the creation needs, or an answer that may be stored.
  const isRead = !tx || needs !== undefined || scene.key !== undefined;
  const facts = isRead ? await read(questionOf(scene, needs ?? {})) : undefined;
  const readFirst = facts && timeOf(scene, facts);
  let time: Promise<Date> | undefined;
  const readTime = () => time ??= tx ? readClock(tx, clock) : Promise.resolve(readFirst!);
  const begun = await creation.begin({ ...scene, needs: needs ?? {}, facts, readTime }, input);
  const now = await readTime();
  if ("machine" in begun) return await begin(application, { ...scene, now }, begun);
  if ("command" in begun) return await perform(application, { ...scene, ref: begun.ref }, begun.command);
  await keepAnswer(scene, begun, now);
  return { answer: begun, actor: undefined };
}

/** @throws {DomainError} CONFLICT: the caller expects another version */
function requireVersion(
  purpose: string,
  version: number,
  expectedVersion: ParsedCommand["expectedVersion"],
): void {
  const expected = expectedVersion === undefined ? [version] : [expectedVersion].flat();
  if (expected.includes(version)) return;
  const versions = `it is at version ${version}, not ${expected.join(" or ") || "the expected one"}`;
  throw new DomainError("CONFLICT", `Cannot ${purpose}: ${versions}`);
}

/** Returns the version that a command is compared with: the actor's, or that of the part that the command changes. */
function countedVersion(
  { partCommands = [] }: AnyBehavior,
  type: string,
  { version, partVersion = 1 }: Found<unknown>,
): number {
  return partCommands.includes(type) ? partVersion : version;
}

/**
 * Gives an event to its actor. False: the actor does not exist, or does not accept the event in its state.
 *
 * @param still called under the actor's lock; false if the event is no longer due
 */
export async function advanceIfAccepted(
  application: Application,
  scene: Scene,
  event: EventObject,
  still: () => Promise<boolean>,
): Promise<boolean> {
  const behavior = behaviorOf(application, scene.ref.kind);
  const { found, now } = await find(behavior, scene);
  const context = { ...scene, now };
  if (!(await still()) || !found) return false;
  const completed = await complete(behavior, context, found, event);
  if (!accepts(found.snapshot, completed)) return false;
  await advance(application, context, found, { event: completed, changedFields: [] });
  return true;
}

/** Creates an actor in the initial state of its machine. */
async function begin(
  application: Application,
  context: TimedScene,
  { machine, input, columns, customerId, note, texts = {}, rows, follow }: Beginning,
): Promise<AcceptedCommand> {
  const { ref, by, now, traceparent } = context;
  const behavior = behaviorOf(application, ref.kind);
  const { snapshot, actions, transitions } = initialTransition(machine, input);
  await refusePersonalData(
    context,
    { note, texts },
    customerId,
    purposeOf(behavior, behavior.creation.type, ref.id),
  );
  const after = { state: stateName(snapshot), version: 1 };
  const event: RecordedEvent = {
    ref,
    customerId,
    eventType: behavior.creation.type,
    about: null,
    transitions,
    before: undefined,
    after,
    partVersion: 1,
    sequence: 1,
    changedFields: columnNames(columns),
    note,
    by,
    at: now,
    traceparent,
  };
  const plan = planActions(behavior, event, actions, application.toMessages);
  const answer = { id: ref.id, ...after, ids: {}, changed: true };
  const change = { columns, snapshot, version: 1, partVersion: 1, isOfPart: false, at: now };
  const hasMore = plan.own.length > 0 || follow !== undefined;
  if (hasMore) transactionOf(context);
  const commit = { ...commitOf(event, plan), ...rows };
  const actor = await store(context, behavior, { commit, change, answer });
  if (!hasMore) return { answer, actor };
  const step = { tx: transactionOf(context), event, row: columns, send: senderFor(application, context) };
  for (const { action, params } of plan.own) await action(step, params);
  await follow?.(step);
  return { answer, actor };
}

/** A step with the time at which its actor was read. */
interface TimedScene extends Scene {
  now: Date;
}

interface Stored {
  commit: Commit;
  change: Change;
  answer: Answer;
  /** The actor before the change; absent for a new one. */
  found?: Found<unknown>;
}

/** Stores a change of the actor's row with the commit of its event. */
async function store(
  { storage, ref, key, now, whole = false }: TimedScene,
  { rows }: AnyBehavior,
  { commit, change, answer, found }: Stored,
): Promise<WholeActor | undefined> {
  const keyed = { ...commit, ...(key && { key: answeredKey(key, answer, now) }) };
  if ("rowOf" in rows) {
    return await storage.store({
      ...keyed,
      ...await rows.change(ref, change, found),
      returned: { kind: ref.kind, id: ref.id, whole, row: false },
    });
  }
  const tx = transactionOf({ storage });
  // Statements of one transaction are sent in one write when nothing waits between them.
  await Promise.all([
    found ? rows.update(tx, ref, change) : rows.insert(tx, ref, change),
    storage.store(keyed),
  ]);
  return undefined;
}

interface Advance extends Decision {
  /** Type of the command; absent for the event of a timer. */
  command?: string;
}

/** Takes an actor from one state to the next, with everything that follows. */
async function advance(
  application: Application,
  context: TimedScene,
  found: Found<unknown>,
  { event: given, command, changedFields, reason, note, failure, columns = {}, rows, write, ids = {} }:
    Advance,
): Promise<AcceptedCommand> {
  const { ref, by, now, traceparent } = context;
  const { machine, snapshot: before, version, partVersion = 1, row } = found;
  const behavior = behaviorOf(application, ref.kind);
  const { snapshot, actions, transitions } = transition(machine, before, given);
  const isOfPart = command !== undefined && behavior.partCommands?.includes(command) === true;
  const versions = isOfPart
    ? { version, partVersion: partVersion + 1 }
    : { version: version + 1, partVersion };
  const after = { state: stateName(snapshot), version: versions.version };
  const { name: eventType, about } = behavior.publicEvent?.(given) ?? { name: given.type, about: null };
  const event: RecordedEvent = {
    ref,
    customerId: behavior.customerOf(ref, row),
    eventType,
    about,
    transitions,
    before: { state: stateName(before), version },
    after,
    partVersion: versions.partVersion,
    sequence: version + partVersion,
    changedFields,
    reason,
    note,
    failure,
    by,
    at: now,
    traceparent,
  };
  const plan = planActions(behavior, event, actions, application.toMessages);
  const answered = isOfPart ? versions.partVersion : versions.version;
  const answer = { id: ref.id, state: after.state, version: answered, ids, changed: true };
  const change = { columns, snapshot, ...versions, isOfPart, at: now };
  const hasMore = plan.own.length > 0;
  if (hasMore) transactionOf(context);
  await write?.(transactionOf(context));
  const commit = { ...commitOf(event, plan), ...rows };
  const actor = await store(context, behavior, { commit, change, answer, found });
  if (!hasMore) return { answer, actor };
  const step = { tx: transactionOf(context), event, row, send: senderFor(application, context) };
  for (const { action, params } of plan.own) await action(step, params);
  return { answer, actor };
}

/** Sends commands to other actors within the same transaction, as the service itself. */
function senderFor(application: Application, { storage, now, traceparent }: TimedScene): SendWithin {
  return async (to, { type, ...fields }) => {
    const behavior = behaviorOf(application, to.kind);
    const known = findCommand(behavior, type);
    if (!known) throw new Error(`A ${to.kind} knows no command ${type}`);
    const input = parseInput(known.input, fields, purposeOf(behavior, type, to.id));
    const scene = { storage, ref: to, by: systemPrincipal(to.storeId), traceparent, clock: () => now };
    return (await perform(application, scene, { type, input })).answer;
  };
}

async function complete(
  behavior: AnyBehavior,
  scene: TimedScene,
  { row }: Found<unknown>,
  event: EventObject,
): Promise<EventObject> {
  if (!behavior.complete) return event;
  const { ref, now } = scene;
  return await behavior.complete({ tx: transactionOf(scene), ref, row, now }, event);
}

/** The reasons of the guards that refuse an event for which the state has transitions. */
function refusalsOf(
  { _nodes }: AnyMachineSnapshot,
  event: EventObject,
  { guards = {} }: AnyBehavior,
): string[] {
  const candidates = _nodes.flatMap(({ transitions }) => transitions.get(event.type) ?? []);
  return candidates.flatMap(({ guard }) => {
    if (typeof guard === "string") return guards[guard] ?? [];
    if (typeof guard !== "object") return [];
    // A guard with other parameters than the event is about another region.
    const isAbout = Object.entries(guard.params ?? {}).every(([name, value]) =>
      (event as Record<string, unknown>)[name] === value
    );
    return isAbout ? guards[guard.type] ?? [] : [];
  });
}

/** A machine in a final state accepts nothing, whatever its transitions say. */
function accepts(snapshot: AnyMachineSnapshot, event: EventObject): boolean {
  return snapshot.status === "active" && snapshot.can(event);
}
