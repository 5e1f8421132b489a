/** Where a step reads and stores: in calls that it shares with other commands, or in a transaction of its own. */
import {
  type ActorFacts,
  type ActorQuestion,
  type ReadActor,
  readActor,
  type WholeActor,
} from "../../db/actor_reads.ts";
import { type Commit, type Outcome, type StoreCommit, storeCommit } from "../../db/commits.ts";
import type { FixedClock } from "../../db/clock.ts";
import type { Tx } from "../../db/connect.ts";
import type { Principal } from "../../domain/principal.ts";
import type { RequestKey } from "./idempotency.ts";
import type { ActorRef } from "./protocol.ts";

export interface Storage {
  /** Absent: nothing is locked between `read` and `store`, which compares the versions. */
  tx?: Tx;
  read(question: ActorQuestion): Promise<ActorFacts>;
  /**
   * @returns the actor as the commit leaves it, if it names one
   * @throws {NotStored}
   */
  store(commit: Commit): Promise<WholeActor | undefined>;
}

/** One step that has not begun: its actor, its caller and its storage. */
export interface Scene {
  storage: Storage;
  ref: ActorRef;
  by: Principal;
  /** The W3C trace context that every event of the step carries on. */
  traceparent: string;
  /** Absent: PostgreSQL's. */
  clock?: FixedClock | undefined;
  /** Whether the caller wants the actor as the command leaves it. */
  whole?: boolean;
  /** Key under which the answer is stored. */
  key?: RequestKey | undefined;
}

/** A step has not been stored; `outcome` says why, and nothing of it has remained. */
export class NotStored extends Error {
  override name = "NotStored";
  constructor(readonly outcome: Exclude<Outcome, { type: "stored" }>) {
    super(`The commit is ${outcome.type}`);
  }
}

/** @param wanted whether the caller still waits */
export function sharedStorage(read: ReadActor, store: StoreCommit, wanted: () => boolean): Storage {
  return {
    read: (question) => read(question, wanted),
    store: async (commit) => requireStored(await store(commit, wanted)),
  };
}

export function storageIn(tx: Tx): Storage {
  return {
    tx,
    read: (question) => readActor(tx, question),
    store: async (commit) => requireStored(await storeCommit(tx, commit)),
  };
}

function requireStored(outcome: Outcome): WholeActor | undefined {
  if (outcome.type !== "stored") throw new NotStored(outcome);
  return outcome.actor;
}

/**
 * The transaction of a step that cannot do without one.
 *
 * @throws {NotStored} it has none, and has to run again in one
 */
export function transactionOf({ storage: { tx } }: Pick<Scene, "storage">): Tx {
  if (!tx) throw new NotStored({ type: "locked" });
  return tx;
}
