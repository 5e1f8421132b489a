/** What the runtime has to know of a kind of actor: its machine, its rows and its commands. */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from "xstate";
import type { z } from "zod";
import type { Tx } from "../db/connect.ts";
import type { Principal, PrincipalType } from "./principal.ts";
import type { ActorKind, ActorRef } from "./protocol.ts";

/** An actor as its locked row shows it. */
export interface Found<Row> {
  row: Row;
  version: number;
  snapshot: AnyMachineSnapshot;
}

/** What a handler may look at before it decides. */
export interface Scene<Row> {
  tx: Tx;
  ref: ActorRef;
  row: Row;
  by: Principal;
  now: Date;
}

/** What a command comes to: an event for the machine, and the rows that change if the machine accepts it. */
export interface Decision {
  event: EventObject;
  /** Names of the fields that change, for the journal. None: the actor may be told so, and stays as it is. */
  changedFields: readonly string[];
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
  decide(scene: Scene<Row>, input: never): Promise<Decision> | Decision;
}

/** The command that makes an actor of this kind. */
export interface Birth {
  type: string;
  by: readonly PrincipalType[];
  input: z.ZodType;
  columns(input: never): Columns;
}

export interface Behaviour<Row> {
  kind: ActorKind;
  machine: AnyStateMachine;
  birth: Birth;
  handlers: Record<string, Handler<Row>>;
  /** Locks the row until the transaction ends and rebuilds the machine's snapshot from it. */
  lock(tx: Tx, ref: ActorRef): Promise<Found<Row> | undefined>;
  insert(tx: Tx, ref: ActorRef, change: Change): Promise<void>;
  update(tx: Tx, ref: ActorRef, change: Change): Promise<void>;
  /** What a unique index stands for, by its name: "its email belongs to another customer". */
  conflicts: Record<string, string>;
}

/** Ties a handler's input to its schema's output. */
export function handler<Row, Schema extends z.ZodType>(
  by: readonly PrincipalType[],
  input: Schema,
  decide: (scene: Scene<Row>, input: z.output<Schema>) => Promise<Decision> | Decision,
): Handler<Row> {
  return { by, input, decide };
}
