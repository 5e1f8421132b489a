/** What the runtime has to know of a kind of actor: its machine, its rows and its commands. */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from "xstate";
import type { z } from "zod";
import type { Tx } from "../../db/connect.ts";
import type { Principal, PrincipalType, RoleName } from "../../domain/principal.ts";
import type { ActorKind, ActorRef, Answer, Command } from "./protocol.ts";
import type { RecordedEvent } from "./recorded_event.ts";

/** An actor as its locked row shows it. */
export interface Found<Row> {
  row: Row;
  version: number;
  machine: AnyStateMachine;
  snapshot: AnyMachineSnapshot;
}

/** What a command's handler may look at before it decides. */
export interface Scene {
  tx: Tx;
  ref: ActorRef;
  by: Principal;
  now: Date;
}

/** What a command comes to: an event for the machine, and the rows that change if the machine accepts it. */
export interface Decision {
  event: EventObject;
  /** Names of the fields that change, for the journal. None: the actor may be told so, and stays as it is. */
  changedFields: readonly string[];
  /** What whoever decides it gives as their reason, for the journal. No message ever carries it. */
  reason?: string | undefined;
  /** Columns of the actor's own row. */
  columns?: Columns;
  /** Rows beside the actor's own. */
  write?: (tx: Tx) => Promise<void>;
  /** Ids for the answer. */
  ids?: Record<string, string>;
}

/** Values for columns of the actor's row, by their names in camelCase. */
export type Columns = Record<string, string | number | Date | null>;

/** How a change of the actor's own row is stored: the state in the row's own terms, version and time. */
export interface Change {
  columns: Columns;
  snapshot: AnyMachineSnapshot;
  version: number;
  at: Date;
}

/** A command: who may send it, what it carries, and what it comes to. */
export interface Handler<Row> {
  by: readonly PrincipalType[];
  input: z.ZodType;
  decide(scene: Scene & { row: Row }, input: never): Promise<Decision> | Decision;
}

/** The command that makes an actor of this kind. */
export interface Birth {
  type: string;
  by: readonly PrincipalType[];
  input: z.ZodType;
  /** An answer instead of a beginning: there is such an actor already, and it is the one that is wanted. */
  begin(scene: Scene, input: never): Promise<Beginning | Answer> | Beginning | Answer;
}

/** The machine that a new actor starts with, and the columns of its row. */
export interface Beginning {
  machine: AnyStateMachine;
  /** The machine's input. */
  input?: unknown;
  columns: Columns;
  /** The customer whom the actor is about; undefined where it is about nobody. */
  customerId: string | undefined;
  /** What else the beginning comes to, in its transaction and behind everything else. */
  follow?: (step: Step<unknown>) => Promise<unknown>;
}

/** An event that has just been stored, for the actions of a kind's own that follow from it in its transaction. */
export interface Step<Row> {
  tx: Tx;
  occurrence: RecordedEvent;
  /** The row before the event; for the first event what it was made of. */
  row: Row | Columns;
  /** Tells another actor something within this transaction. */
  tell(ref: ActorRef, command: Command): Promise<Answer>;
}

export type Action<Row> = (step: Step<Row>, params: never) => Promise<void>;

export interface Behavior<Row> {
  kind: ActorKind;
  /** The role that lets staff send commands; STORE_MANAGER always does. */
  role: RoleName;
  birth: Birth;
  handlers: Record<string, Handler<Row>>;
  /** What the machine's actions of this kind's own do. Each runs in the event's transaction, in their order. */
  actions?: Record<string, Action<Row>>;
  /** Completes an event with facts that the machine cannot know: the time, what stands in other rows. */
  complete?(
    scene: Omit<Scene, "by"> & { row: Row | undefined },
    event: EventObject,
  ): Promise<EventObject> | EventObject;
  /**
   * The customer whom the actor is about; undefined where it is about nobody, and where only its row says so and the
   * row has not been read.
   */
  customerOf(ref: ActorRef, row?: Row): string | undefined;
  /** Locks the row until the transaction ends and rebuilds the machine's snapshot from it. */
  lock(tx: Tx, ref: ActorRef): Promise<Found<Row> | undefined>;
  insert(tx: Tx, ref: ActorRef, change: Change): Promise<void>;
  update(tx: Tx, ref: ActorRef, change: Change): Promise<void>;
  /** Why a guard of the machine's setup refuses, by its name: "an account has at most 50 addresses". */
  guards?: Record<string, string>;
  /** What a unique index stands for, by its name: "its email belongs to another customer". */
  conflicts: Record<string, string>;
}

/** Ties a handler's input to its schema's output. */
export function handler<Row, Schema extends z.ZodType>(
  by: readonly PrincipalType[],
  input: Schema,
  decide: (scene: Scene & { row: Row }, input: z.output<Schema>) => Promise<Decision> | Decision,
): Handler<Row> {
  return { by, input, decide };
}
