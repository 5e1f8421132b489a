/** Where a step reads and stores: in calls that it shares with other commands, or in a transaction of its own. */
import {
  type ActorFacts,
  type ActorQuestion,
  needsRowAlone,
  type ReadActor,
  readActor,
  type WholeActor,
} from "../../db/actor_reads.ts";
import { type Commit, type Outcome, type Returned, type StoreCommit, storeCommit } from "../../db/commits.ts";
import type { FixedClock } from "../../db/clock.ts";
import type { Tx } from "../../db/connect.ts";
import type { Principal } from "../../domain/principal.ts";
import type { HashedKey } from "./idempotency.ts";
import type { ActorRef } from "./protocol.ts";
import type { Turn } from "./turns.ts";

export interface Storage {
  /** Absent: nothing is locked between `read` and `store`, which compares the versions. */
  tx?: Tx;
  read(question: ActorQuestion): Promise<ActorFacts>;
  /** Whether `read` has returned what the previous command on the actor has left, instead of reading. */
  hasGuessed?(): boolean;
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
  key?: HashedKey | undefined;
}

/** A step has not been stored; `outcome` says why, and nothing of it has remained. */
export class NotStored extends Error {
  override name = "NotStored";
  constructor(readonly outcome: Exclude<Outcome, { type: "stored" }>) {
    super(`The commit is ${outcome.type}`);
  }
}

/**
 * Storage in calls that commands share. While other commands on the actor wait, a commit returns the row for the next
 * of them. It is a guess, since another replica may have changed the actor: `store` compares the versions, and only
 * reading justifies a refusal.
 *
 * @param wanted whether the caller still waits
 */
export function sharedStorage(
  read: ReadActor,
  store: StoreCommit,
  wanted: () => boolean,
  turn: Turn<ActorFacts>,
): Storage {
  let guess = turn.state;
  turn.state = undefined;
  let hasGuessed = false;
  return {
    hasGuessed: () => hasGuessed,
    async read(question) {
      hasGuessed = guess !== undefined && needsRowAlone(question);
      const facts = hasGuessed ? guess! : await read(question, wanted);
      guess = undefined;
      return facts;
    },
    async store(commit) {
      const { returned } = commit;
      const asking = returned && { ...commit, returned: { ...returned, row: turn.waiting > 0 } };
      const { actor, next } = requireStored(await store(asking ?? commit, wanted));
      turn.state = next;
      return actor;
    },
  };
}

export function storageIn(tx: Tx): Storage {
  return {
    tx,
    read: (question) => readActor(tx, question),
    store: async (commit) => requireStored(await storeCommit(tx, commit)).actor,
  };
}

function requireStored(outcome: Outcome): Returned {
  if (outcome.type !== "stored") throw new NotStored(outcome);
  return outcome;
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
