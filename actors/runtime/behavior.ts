/** Behavior of a kind of actor: its machine, its rows and its commands. An application gives one for each kind. */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from "xstate";
import type { z } from "zod";
import type { ActorFacts, ActorQuestion } from "../../db/actor_reads.ts";
import type { OwnRows } from "../../db/commits.ts";
import type { Tx } from "../../db/connect.ts";
import type { Principal, PrincipalType, RoleName } from "../../domain/principal.ts";
import type { ActorRef, Answer, CommandMap, SendWithin } from "./protocol.ts";
import type { RecordedEvent } from "./recorded_event.ts";
import type { Scene } from "./storage.ts";

/** An actor as its row describes it. */
export interface Found<Row> {
  row: Row;
  version: number;
  /** Version of the part that `Behavior.partCommands` change; absent: the kind has no such part. */
  partVersion?: number;
  machine: AnyStateMachine;
  snapshot: AnyMachineSnapshot;
}

/** The actor and the caller of one step. */
export interface StepContext {
  ref: ActorRef;
  by: Principal;
  /** PostgreSQL's time, later than every earlier change of the actor. */
  now: Date;
  /** The W3C trace context that every event of the step carries on. */
  traceparent: string;
}

/** A handler's decision: an event for the machine, and the rows that change if the machine accepts it. */
export interface Decision {
  event: EventObject;
  /** Names of the fields that change, for the journal. Empty: the command is accepted and changes nothing. */
  changedFields: readonly string[];
  /** The reason that the caller gave for the customer, for the journal. No message carries it. */
  reason?: string | undefined;
  /** The caller's note for other staff, for the journal. No message and no document of the customer carries it. */
  note?: string | undefined;
  /** Code of the failure that the event reports, for the journal. */
  failure?: string | undefined;
  /** Other free text of the caller, by the names of its fields. */
  texts?: Readonly<Record<string, string>>;
  /** Columns of the actor's own row. */
  columns?: Columns;
  /** Rows of the commit in addition to the actor's own. */
  rows?: OwnRows;
  /** Writes that a commit cannot hold. The command then takes a transaction. */
  write?: (tx: Tx) => Promise<void>;
  /** IDs for the answer. */
  ids?: Record<string, string>;
}

/** Values for columns of the actor's row, by their names in camelCase. */
export type Columns = Record<string, string | number | boolean | Date | JsonValue | null>;

/** A list or an object, for a column of the type jsonb. */
type JsonValue = readonly unknown[] | { readonly [name: string]: unknown };

/** A change of the actor's own row. */
export interface Change {
  columns: Columns;
  snapshot: AnyMachineSnapshot;
  version: number;
  partVersion: number;
  /** Whether only the part changes, and `version` does not. */
  isOfPart: boolean;
  at: Date;
}

/** An event in the words of the journal, which are public. */
export interface PublicEvent {
  name: string;
  /** The party that the event is about, such as a service; null for the actor as a whole. */
  about: string | null;
}

/** Facts that a command needs in addition to the actor's row. */
export type NeededFacts = Pick<ActorQuestion, "addressId" | "groupId" | "allGroups" | "emailHashes">;

/** A step whose actor has been read. */
export interface DecisionContext extends StepContext {
  facts: ActorFacts;
}

/** Handler of a command: who may send it, the schema of its fields, and the decision, which is pure. */
export interface Handler<Row, Schema extends z.ZodType = z.ZodType> {
  by: readonly PrincipalType[];
  /** The role that staff need; STORE_MANAGER always suffices. Absent: that of the kind. */
  role?: RoleName;
  input: Schema;
  decide(
    context: DecisionContext & { row: Row },
    input: z.output<Schema>,
  ): Promise<Decision> | Decision;
  /** Absent: the row is enough. */
  needs?: ((input: z.output<Schema>) => NeededFacts) | undefined;
}

/** Infers a handler's input from its schema. */
export function handler<Row, Schema extends z.ZodType>(
  by: readonly PrincipalType[],
  input: Schema,
  decide: Handler<Row, Schema>["decide"],
  needs?: Handler<Row, Schema>["needs"],
): Handler<Row, Schema> {
  return { by, input, decide, needs };
}

// The runtime parses with a handler's schema and passes the result to the same handler, so it need not know the type.
// deno-lint-ignore no-explicit-any
export type AnyHandler<Row> = Handler<Row, any>;

/** The union of the commands of a set of handlers: each has its type and the input of its schema. */
export type CommandOf<Handlers> = {
  [Type in keyof Handlers & string]: Handlers[Type] extends { input: infer Schema extends z.ZodType }
    ? { type: Type } & FieldsOf<Schema>
    : never;
}[keyof Handlers & string];

/** The input of a schema; the input of an empty one would not allow the command's `type`. */
type FieldsOf<Schema extends z.ZodType> = keyof z.input<Schema> extends infer Key
  ? string extends Key ? unknown : z.input<Schema>
  : never;

/**
 * The command that creates an actor. If `handlers` has a command of the same type, the command changes the actor where
 * it exists and creates it otherwise; the version of an actor that does not exist yet is 0.
 */
export interface Creation<Schema extends z.ZodType = z.ZodType> {
  type: string;
  by: readonly PrincipalType[];
  input: Schema;
  /** Facts that the beginning needs; absent: none. */
  needs?(input: z.output<Schema>): Promise<NeededFacts>;
  /**
   * If the actor that the caller wants exists already, returns an answer or a command to that actor instead of a
   * beginning.
   */
  begin(scene: CreationScene, input: z.output<Schema>): Promise<Begun> | Begun;
}

/** A creation whose time has not been read yet. */
export interface CreationScene extends Scene {
  /** What `Creation.needs` has returned. */
  needs: NeededFacts;
  /** May be undefined if the creation needs none. */
  facts: ActorFacts | undefined;
  /** Returns the same time at each call. Called after a statement that locks a row, it is later than the lock. */
  readTime(): Promise<Date>;
}

type Begun = Beginning | Redirection | Answer;

/** A command to an existing actor, which the caller sends instead of creating one. */
export interface Redirection {
  ref: ActorRef;
  command: { type: string; input: unknown };
}

/** The machine and the row of a new actor. */
export interface Beginning {
  machine: AnyStateMachine;
  /** The machine's input. */
  input?: unknown;
  columns: Columns;
  /** The customer whom the actor is about; undefined if it is about no customer. */
  customerId: string | undefined;
  /** The caller's note for other staff, for the journal. */
  note?: string | undefined;
  /** Other free text of the caller, by the names of its fields. */
  texts?: Readonly<Record<string, string>>;
  /** Rows of the commit in addition to the actor's own. */
  rows?: OwnRows;
  /** Runs in the same transaction, after everything else. */
  follow?: (step: ActionStep<unknown>) => Promise<unknown>;
}

/** A stored event, for the actions that follow from it in its transaction. */
export interface ActionStep<Row, Commands extends CommandMap = CommandMap> {
  tx: Tx;
  event: RecordedEvent;
  /** The row before the event; for the first event the columns that it was created with. */
  row: Row | Columns;
  /** Sends a command to another actor within this transaction. */
  send: SendWithin<Commands>;
}

/** Implementation of an action that a machine declares. It runs in the transaction of the event. */
// deno-lint-ignore no-explicit-any -- Actions gives the parameters of each
export type Action<Row, Params = any, Commands extends CommandMap = CommandMap> = (
  step: ActionStep<Row, Commands>,
  params: Params,
) => Promise<void>;

/**
 * Implementations of every action in `Declared`, with the parameters that are declared there. A declaration is a
 * function that does nothing, in the form that XState's `setup` takes: `(_: unknown, _params: Params) => {}`.
 */
export type Actions<Row, Declared, Commands extends CommandMap = CommandMap> = {
  [Name in keyof Declared]: Declared[Name] extends (args: never, params: infer Params) => void
    ? Action<Row, Params, Commands>
    : Action<Row, undefined, Commands>;
};

/** Rows that are read and stored together with those of other commands, without a transaction of the command's own. */
export interface BatchedRows<Row> {
  /** The actor's row as it was read. */
  rowOf(facts: ActorFacts): Row | undefined;
  /** The rows to store. `found` is the actor before the change, absent for a new one. */
  change(ref: ActorRef, change: Change, found?: Found<Row>): Promise<OwnRows> | OwnRows;
}

/** Rows that are read and stored by statements in the step's own transaction, which every step of the kind takes. */
export interface TransactionalRows {
  insert(tx: Tx, ref: ActorRef, change: Change): Promise<void>;
  update(tx: Tx, ref: ActorRef, change: Change): Promise<void>;
}

export interface Behavior<Row> {
  kind: string;
  /** What messages call an actor of this kind: "shopper group". */
  noun: string;
  /**
   * What each command does, for messages that refuse it: "change the profile of", completed by the noun and the ID.
   * A command's own name appears in no message.
   */
  purposes: Readonly<Record<string, string>>;
  /** What messages call the machine's state: "it is suspended". */
  describeState(snapshot: AnyMachineSnapshot): string;
  /**
   * Commands that change a part with a version of its own, such as a customer's memberships. The actor's version
   * does not count them: they are compared with, and return, the version of the part.
   */
  partCommands?: readonly string[];
  /** The role that staff need to send commands; STORE_MANAGER always suffices. */
  role: RoleName;
  creation: Creation;
  handlers: Record<string, AnyHandler<Row>>;
  /** Implementations of the actions of the kind's own. Each runs in the event's transaction, in the machine's order. */
  actions?: Readonly<Record<string, Action<Row>>>;
  /** Adds facts to an event that the machine cannot know: the time, the contents of other rows. */
  complete?(
    context: Pick<StepContext, "ref" | "now"> & { tx: Tx; row: Row },
    event: EventObject,
  ): Promise<EventObject> | EventObject;
  /** Names an event for the journal. Absent: events have the names that they have in the machine, and no party. */
  publicEvent?(event: EventObject): PublicEvent;
  /**
   * The customer whom the actor is about; undefined if it is about no customer, or if only the row knows and `row` is
   * absent because it has not been read.
   */
  customerOf(ref: ActorRef, row?: Row): string | undefined;
  /** Locks the row until the transaction ends. */
  lock(tx: Tx, ref: ActorRef): Promise<Row | undefined>;
  /** Rebuilds the machine's snapshot from the row. */
  restore(row: Row): Found<Row>;
  rows: BatchedRows<Row> | TransactionalRows;
  /** Why a guard refuses, by the guard's name in the machine: "an account has at most 50 addresses". */
  guards?: Record<string, string>;
  /** What a violated unique index means, by the index's name: "its email belongs to another customer". */
  conflicts: Record<string, string>;
}

// The runtime only passes rows from one function of a behavior to the next.
// deno-lint-ignore no-explicit-any
export type AnyBehavior = Behavior<any>;
