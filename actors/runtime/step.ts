/** One step of an actor within its transaction: a command or an event, and everything that follows from it. */
import type { AnyMachineSnapshot, EventObject } from "xstate";
import { DomainError } from "../../domain/errors.ts";
import { parseInput } from "../../domain/input.ts";
import { systemPrincipal } from "../../domain/principal.ts";
import { planActions, type ToMessages } from "./action_plan.ts";
import { authorizeSubject } from "./authorization.ts";
import type { AnyBehavior, Beginning, Decision, Found, Scene, StepContext } from "./behavior.ts";
import { columnNames } from "./changes.ts";
import { refusePersonalData } from "./free_text.ts";
import type { Answer, SendWithin } from "./protocol.ts";
import { purposeOf } from "./purpose.ts";
import { record } from "./record.ts";
import { type RecordedEvent, stateName } from "./recorded_event.ts";
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

function findHandler({ handlers }: AnyBehavior, type: string) {
  return Object.hasOwn(handlers, type) ? handlers[type] : undefined;
}

/** Carries out a validated command. */
export async function perform(
  application: Application,
  scene: Scene,
  command: ParsedCommand,
): Promise<Answer> {
  const { tx, ref, by, readTime } = scene;
  const { type, input, expectedVersion } = command;
  const behavior = behaviorOf(application, ref.kind);
  const handler = findHandler(behavior, type);
  if (!handler) return await create(application, scene, input);

  // Both travel in one write, and PostgreSQL runs them in order.
  const [found, now] = await Promise.all([behavior.lock(tx, ref), readTime()]);
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
  if (found.snapshot.status !== "active") throw refused(); // before the handler reads other rows
  const decision = await handler.decide({ ...context, row: found.row }, input);
  const event = await complete(behavior, context, found, decision.event);
  if (!accepts(found.snapshot, event)) throw refused(refusalsOf(found.snapshot, event, behavior));
  await refusePersonalData(context, decision, behavior.customerOf(ref, found.row), purpose);
  if (decision.changedFields.length === 0) {
    const state = stateName(found.snapshot);
    return { id: ref.id, state, version, ids: decision.ids ?? {}, changed: false };
  }
  return await advance(application, context, found, { ...decision, event, command: type });
}

/** Creates an actor, or continues with the one that exists already. */
async function create(application: Application, scene: Scene, input: unknown): Promise<Answer> {
  const { creation } = behaviorOf(application, scene.ref.kind);
  const [begun, now] = await Promise.all([creation.begin(scene, input), scene.readTime()]);
  if ("machine" in begun) return await begin(application, { ...scene, now }, begun);
  return "command" in begun ? await perform(application, { ...scene, ref: begun.ref }, begun.command) : begun;
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
  const [found, now] = await Promise.all([behavior.lock(scene.tx, scene.ref), scene.readTime()]);
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
  context: StepContext,
  { machine, input, columns, customerId, follow }: Beginning,
): Promise<Answer> {
  const { tx, ref, by, now, traceparent } = context;
  const behavior = behaviorOf(application, ref.kind);
  const { snapshot, actions, transitions } = initialTransition(machine, input);
  const after = { state: stateName(snapshot), version: 1 };
  await behavior.insert(tx, ref, { columns, snapshot, version: 1, partVersion: 1, isOfPart: false, at: now });
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
    by,
    at: now,
    traceparent,
  };
  const plan = planActions(behavior, event, actions, application.toMessages);
  await record(tx, event, plan);
  const step = { tx, event, row: columns, send: senderFor(application, context) };
  for (const { action, params } of plan.own) await action(step, params);
  await follow?.(step);
  return { id: ref.id, ...after, ids: {}, changed: true };
}

interface Advance extends Decision {
  /** Type of the command; absent for the event of a timer. */
  command?: string;
}

/** Takes an actor from one state to the next, with everything that follows. */
async function advance(
  application: Application,
  context: StepContext,
  { machine, snapshot: before, version, partVersion = 1, row }: Found<unknown>,
  { event: given, command, changedFields, reason, note, columns = {}, write, ids = {} }: Advance,
): Promise<Answer> {
  const { tx, ref, by, now, traceparent } = context;
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
    by,
    at: now,
    traceparent,
  };
  const plan = planActions(behavior, event, actions, application.toMessages);
  await Promise.all([
    behavior.update(tx, ref, { columns, snapshot, ...versions, isOfPart, at: now }),
    write?.(tx),
    record(tx, event, plan),
  ]);
  const step = { tx, event, row, send: senderFor(application, context) };
  for (const { action, params } of plan.own) await action(step, params);
  const { state } = after;
  const answered = isOfPart ? versions.partVersion : versions.version;
  return { id: ref.id, state, version: answered, ids, changed: true };
}

/** Sends commands to other actors within the same transaction, as the service itself. */
function senderFor(application: Application, { tx, now, traceparent }: StepContext): SendWithin {
  return async (to, { type, ...fields }) => {
    const behavior = behaviorOf(application, to.kind);
    const known = findCommand(behavior, type);
    if (!known) throw new Error(`A ${to.kind} knows no command ${type}`);
    const input = parseInput(known.input, fields, purposeOf(behavior, type, to.id));
    const readTime = () => Promise.resolve(now);
    const scene = { tx, ref: to, by: systemPrincipal(to.storeId), readTime, traceparent };
    return await perform(application, scene, { type, input });
  };
}

async function complete(
  behavior: AnyBehavior,
  { tx, ref, now }: StepContext,
  { row }: Found<unknown>,
  event: EventObject,
): Promise<EventObject> {
  return await behavior.complete?.({ tx, ref, row, now }, event) ?? event;
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
