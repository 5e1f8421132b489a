/** How the edges speak to actors: an address, a command, on whose behalf, and the answer. */
import type { Principal } from "../../domain/principal.ts";

export type ActorKind = "customer" | "shopper_group" | "gdpr_request";

/** The address of an actor. All ids are UUIDs in lower case. */
export interface ActorRef {
  kind: ActorKind;
  storeId: string;
  id: string;
}

/** Where an actor is to be made that gets its id from the runtime: the answer has it. */
export type NewActorRef = Omit<ActorRef, "id">;

/** On whose behalf a command comes, and on which conditions. */
export interface CommandContext {
  by: Principal;
  /**
   * Where in which trace the caller stands (W3C): the trace's id goes into every event that the command causes. Where
   * traces are collected, the active span counts, whose trace is the same one wherever a request has brought it.
   */
  traceparent: string;
  /** The version that the caller has seen; any other one is a CONFLICT. */
  expectedVersion?: number | undefined;
  /** Repeating a command under its key gives the same answer again and changes nothing. */
  idempotencyKey?: string | undefined;
  /** Asked when its transaction would begin: whether somebody still waits for the answer. Absent: always. */
  wanted?: (() => boolean) | undefined;
}

/** What an accepted command gives. Ids and states only: whoever wants values reads them. */
export interface Answer {
  /** The actor's id. */
  id: string;
  state: string;
  version: number;
  /** Ids that the command has made or touched, such as `addressId`. */
  ids: Record<string, string>;
  /** Whether anything is different now. */
  changed: boolean;
}

/** The actors' one door for changes. */
export interface Actors {
  /**
   * Tells an actor something, in one transaction that is durable before the answer.
   * An update that would change nothing is answered with the state as it is.
   *
   * @throws {DomainError} INVALID_INPUT, FORBIDDEN, NOT_FOUND, ALREADY_EXISTS, REFUSED_IN_STATE, CONFLICT; and the
   * driver's own error, which asDomainError calls UNAVAILABLE, when the database is away
   */
  send(ref: ActorRef | NewActorRef, command: Command, context: CommandContext): Promise<Answer>;
}

/** A command as an edge sends it: its type and its input, which the runtime validates against the type's schema. */
export interface Command {
  type: string;
  [field: string]: unknown;
}
