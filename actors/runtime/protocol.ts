/** Protocol between callers and actors: an address, a command, a context and an answer. */
import type { WholeActors } from "../../db/actor_reads.ts";
import type { ReadSql } from "../../db/store_reader.ts";
import type { Principal } from "../../domain/principal.ts";

/** The commands of each kind of actor, by the kind's name. A kind's commands are a union over `type`. */
// deno-lint-ignore no-explicit-any -- the runtime works with any; an application gives its own interface
export type CommandMap = Record<string, any>;

export type KindOf<Commands extends CommandMap> = keyof Commands & string;

/** The address of an actor. All IDs are UUIDs in lower case. */
export interface ActorRef<Kind extends string = string> {
  kind: Kind;
  storeId: string;
  id: string;
}

/** The address of an actor that does not exist yet and whose ID the runtime generates: the answer has it. */
export type NewActorRef<Kind extends string = string> = Omit<ActorRef<Kind>, "id">;

/** The caller and the conditions of a command. */
export interface CommandContext {
  by: Principal;
  /**
   * The caller's W3C trace context; its trace ID is in every event that the command causes. When tracing is on, the
   * active span has precedence.
   */
  traceparent: string;
  /**
   * The version that the caller has seen, or several that it accepts; any other one is a CONFLICT. A command that
   * changes a part with a version of its own, such as a customer's memberships, is compared with that version.
   */
  expectedVersion?: number | readonly number[] | undefined;
  /** Repeating a command with the same key returns the first answer and changes nothing. */
  idempotencyKey?: string | undefined;
  /** Called before the transaction begins; false if the caller no longer waits. Absent: the caller waits. */
  wanted?: (() => boolean) | undefined;
}

/** The answer to an accepted command. It has IDs and states only; callers read values separately. */
export interface Answer {
  /** The actor's ID. */
  id: string;
  state: string;
  /** The actor's version, or that of the part that the command changes. */
  version: number;
  /** IDs that the command has created or changed, such as `addressId`. */
  ids: Record<string, string>;
  /** Whether the command has changed anything. */
  changed: boolean;
}

/** An accepted command. */
export interface Changed<Actor> {
  answer: Answer;
  actor: Actor | undefined;
}

/** The only way to change an actor. */
export interface Actors<Commands extends CommandMap = CommandMap> {
  /**
   * Sends a command to an actor, in one transaction that is durable before the answer.
   * An update that would change nothing is answered with the current state.
   *
   * @throws {DomainError} INVALID_INPUT, FORBIDDEN, NOT_FOUND, ALREADY_EXISTS, REFUSED_IN_STATE, CONFLICT; and the
   * driver's own error, which asDomainError calls UNAVAILABLE, when the database is away
   */
  send<Kind extends KindOf<Commands>>(
    ref: ActorRef<Kind> | NewActorRef<Kind>,
    command: Commands[Kind],
    context: CommandContext,
  ): Promise<Answer>;

  /**
   * Sends a command, and returns the actor as the command has left it: from the command's transaction, so that it shows
   * no later change. An answer that is repeated for an idempotency key has no actor.
   */
  sendAndRead<Kind extends KindOf<Commands> & keyof WholeActors>(
    ref: ActorRef<Kind> | NewActorRef<Kind>,
    command: Commands[Kind],
    context: CommandContext,
  ): Promise<Changed<WholeActors[Kind]>>;

  /**
   * Sends a command to an actor of a kind that the commit does not return, and reads it in the command's transaction. An
   * answer that is repeated for an idempotency key has no actor.
   *
   * @param command as from outside: the runtime alone checks the type and the fields
   */
  sendAndReadWith<Actor>(
    ref:
      | ActorRef<Exclude<KindOf<Commands>, keyof WholeActors>>
      | NewActorRef<Exclude<KindOf<Commands>, keyof WholeActors>>,
    command: Command,
    context: CommandContext,
    read: (sql: ReadSql, answer: Answer) => Promise<Actor>,
  ): Promise<Changed<Actor>>;

  /** Like `send`, for edges that take commands from outside: the runtime alone checks the type and the fields. */
  sendUnchecked(
    ref: ActorRef<KindOf<Commands>> | NewActorRef<KindOf<Commands>>,
    command: Command,
    context: CommandContext,
  ): Promise<Answer>;
}

/** Sends a command to another actor within the same transaction, on behalf of the service itself. */
export type SendWithin<Commands extends CommandMap = CommandMap> = <Kind extends KindOf<Commands>>(
  ref: ActorRef<Kind>,
  command: Commands[Kind],
) => Promise<Answer>;

/** A command of any type, before the runtime has validated it against the type's schema. */
export interface Command {
  type: string;
  [field: string]: unknown;
}
