/** Commits: the rows that commands store, in one round trip for the commands of a tick. */
import { batched, type Wanted } from "./_batches.ts";
import { toColumns, toRecord } from "./_columns.ts";
import { answersByStore } from "./_stores.ts";
import type { ActorEventRow } from "./actor_events.ts";
import {
  type ActorFacts,
  byteaText,
  COMMAND_LIMITS,
  rowFacts,
  storedAnswer,
  type StoredRow,
  type WholeActor,
  wholeActor,
} from "./actor_reads.ts";
import type { Sql, Tx } from "./connect.ts";
import { createAnalyzer } from "./statistics.ts";
import type { AddressValues } from "./customer_addresses.ts";
import type { EffectRow } from "./effects.ts";
import type { EmailHash } from "./email_hashes.ts";
import { isSerializationFailure, isUnavailable, violatedConstraint } from "./errors.ts";
import type { IdempotencyKey, StoredAnswer } from "./idempotency_keys.ts";
import type { OutboxRow } from "./outbox.ts";
import type { TimerKey, TimerRow } from "./timers.ts";

/** Values by their names in camelCase. */
type Values = Record<string, unknown>;

/** Change of the row of a customer or a shopper group; absent values stay unchanged. */
export interface RowChange {
  table: "customers" | "shopper_groups";
  id: string;
  values: Values;
  /** The versions that the row has had when it was read; absent: the row is new. */
  seen?: { version: number; partVersion: number };
}

/** Changes of the rows that belong to a customer or a shopper group, and conditions of the change. */
export interface OwnRows {
  row?: RowChange;
  /** The group is not deleted until the commit. */
  openGroupId?: string;
  /** The erasure memory has neither the customer nor one of the hashes. */
  unlessErased?: { id: string; hashes: readonly Uint8Array[] };
  /** Hashes to keep of an email that the customer no longer has. */
  emailHashes?: { customerId: string; hashes: readonly EmailHash[] };
  newAddress?: { id: string; customerId: string; values: AddressValues; at: Date };
  changedAddress?: { id: string; customerId: string; values: Partial<AddressValues>; at: Date };
  deletedAddressId?: string;
  newMembership?: { customerId: string; groupId: string; assignedAt: Date; assignedBy: string };
  endedMembership?: { customerId: string; groupId: string };
}

/** Idempotency key with the answer that its repetitions get. */
export interface AnsweredKey extends IdempotencyKey {
  requestHash: Uint8Array;
  answer: unknown;
  createdAt: Date;
  expiresAt: Date;
}

/** Rows of one command, all stored or none. */
export interface Commit extends OwnRows {
  storeId: string;
  /** The actor to return as the commit leaves it: as it is shown, as facts for its next command, or both. */
  returned?: { kind: string; id: string; whole: boolean; row: boolean } | undefined;
  key?: AnsweredKey;
  journal?: ActorEventRow;
  outbox?: readonly OutboxRow[];
  effects?: readonly EffectRow[];
  /** Timers to set, and those without a time to cancel; at most one of each name. */
  timers?: readonly (TimerRow | TimerKey)[];
}

/** What a stored commit returns, if it asks for it. */
export interface Returned {
  actor?: WholeActor | undefined;
  next?: ActorFacts | undefined;
}

export type Outcome =
  | { type: "stored" } & Returned
  /** What the decision rests on has changed: it can be made again. */
  | { type: "stale" }
  /** Another transaction holds the row, or the row does not exist. */
  | { type: "locked" }
  /** The idempotency key has an answer. */
  | { type: "repeated"; stored: StoredAnswer }
  /** The name of the unique index that refuses the rows. */
  | { type: "violated"; constraint: string };

/** Stores a commit in a transaction of its own or together with others; one that is no longer `wanted` is not stored. */
export type StoreCommit = (commit: Commit, wanted?: Wanted) => Promise<Outcome>;

/**
 * The commits of a tick and a store share one call. A commit that is refused does not keep the others from being stored.
 *
 * @param sql a pool of the role customer_api
 */
export function createCommits(sql: Sql): StoreCommit {
  const countStored = createAnalyzer(sql);
  const ask = answersByStore(async (commits: readonly Commit[], storeId) => {
    const outcomes = await storeApart(sql, storeId, commits);
    countStored(outcomes.length);
    return outcomes;
  });
  return batched("store_commits", ask, sql, COMMAND_LIMITS);
}

/** Stores a commit within a transaction, which has locked the actor. */
export async function storeCommit(tx: Tx, commit: Commit): Promise<Outcome> {
  const [outcome] = await storeCommits(tx, commit.storeId, [commit]);
  return outcome!;
}

/**
 * Stores commits in one call, or those halves of them that can be stored where the database refuses a row by an error.
 *
 * @returns outcomes in the order of the commits
 */
async function storeApart(
  sql: Sql,
  storeId: string,
  commits: readonly Commit[],
): Promise<(Outcome | Error)[]> {
  try {
    return await storeCommits(sql, storeId, commits);
  } catch (error) {
    if (isUnavailable(error) || isSerializationFailure(error)) throw error;
    if (commits.length === 1) {
      const constraint = violatedConstraint(error);
      if (constraint === undefined) throw error;
      return [{ type: "violated", constraint }];
    }
    const half = Math.ceil(commits.length / 2);
    const parts = [commits.slice(0, half), commits.slice(half)];
    return (await answersApart(parts, (part) => storeApart(sql, storeId, part))).flat();
  }
}

/** Answers each part, one after another, with its error if it fails. */
async function answersApart<Question, Answer>(
  parts: readonly (readonly Question[])[],
  ask: (part: readonly Question[]) => Promise<(Answer | Error)[]>,
): Promise<(Answer | Error)[][]> {
  const answers: (Answer | Error)[][] = [];
  for (const part of parts) {
    answers.push(await ask(part).catch((error: Error) => part.map(() => error)));
  }
  return answers;
}

interface ReturnedRow {
  whole: object | null;
  row: object | null;
  read_at: string;
}

interface OutcomeRow {
  position: number;
  outcome: Outcome["type"];
  detail: StoredRow & ReturnedRow & { constraint: string } | null;
}

async function storeCommits(
  sql: Sql | Tx,
  storeId: string,
  commits: readonly Commit[],
): Promise<Outcome[]> {
  const rows = await sql<OutcomeRow[]>`
    select * from store_commits(${storeId}::uuid, ${sql.json(sectionsOf(commits) as never)})`;
  const outcomes = new Array<Outcome>(commits.length);
  for (const { position, outcome, detail } of rows) outcomes[position - 1] = outcomeOf(outcome, detail);
  return outcomes;
}

function outcomeOf(type: Outcome["type"], detail: OutcomeRow["detail"]): Outcome {
  if (type === "repeated") return { type, stored: storedAnswer(detail!) };
  if (type === "violated") return { type, constraint: detail!.constraint };
  if (type === "stored") return { type, ...(detail && returnedOf(detail)) };
  return { type };
}

function returnedOf({ whole, row, read_at }: ReturnedRow): Returned {
  return {
    actor: whole ? wholeActor(whole) : undefined,
    next: row ? rowFacts(row, new Date(read_at)) : undefined,
  };
}

/** The argument of the function store_commits: the rows of all commits by their kind. */
type Sections = { count: number } & Record<string, Values[] | number>;

function sectionsOf(commits: readonly Commit[]): Sections {
  const sections: Sections = { count: commits.length };
  commits.forEach((commit, index) => {
    const n = index + 1;
    const add = (section: string, row: Values) => {
      const rows = sections[section] ??= [];
      row.n = n;
      (rows as Values[]).push(row);
    };
    addOwnRows(add, commit);
    addEvent(add, commit);
  });
  return sections;
}

/** Adds a row of its own, which gets the number of its commit. */
type AddRow = (section: string, row: Values) => void;

function addOwnRows(add: AddRow, rows: OwnRows): void {
  const { row, openGroupId, unlessErased, emailHashes } = rows;
  if (row) {
    const { table, id, values, seen } = row;
    if (!seen) addNewRow(add, row);
    else {
      add(table, {
        id,
        seen_version: seen.version,
        seen_part_version: seen.partVersion,
        row: toColumns(values),
      });
    }
  }
  if (openGroupId !== undefined) add("open_groups", { group_id: openGroupId });
  if (unlessErased) {
    add("unless_erased", { id: unlessErased.id, hashes: unlessErased.hashes.map(byteaText) });
  }
  for (const { hash, participantHash, keyId } of emailHashes?.hashes ?? []) {
    add("email_hashes", {
      customer_id: emailHashes!.customerId,
      hash: byteaText(hash),
      participant_hash: participantHash && byteaText(participantHash),
      key_id: keyId,
    });
  }
  addAddresses(add, rows);
  if (rows.newMembership) add("new_memberships", toColumns(rows.newMembership));
  if (rows.endedMembership) add("ended_memberships", toColumns(rows.endedMembership));
}

function addNewRow(add: AddRow, { table, id, values }: RowChange): void {
  if (table === "customers") add("new_customers", { id, ...toRecord(values) });
  else add("new_shopper_groups", { id, row: toColumns(values) });
}

function addAddresses(add: AddRow, { newAddress, changedAddress, deletedAddressId }: OwnRows): void {
  const written = newAddress ?? changedAddress;
  if (written) {
    const { customerId, values: { isDefaultShipping, isDefaultBilling } } = written;
    if (isDefaultShipping || isDefaultBilling) {
      add("cleared_defaults", {
        customer_id: customerId,
        shipping: isDefaultShipping === true,
        billing: isDefaultBilling === true,
      });
    }
  }
  if (newAddress) {
    const { id, customerId, values, at } = newAddress;
    add("new_addresses", { id, row: toColumns({ ...values, customerId, createdAt: at, updatedAt: at }) });
  }
  if (changedAddress) {
    const { id, values, at } = changedAddress;
    add("addresses", { id, row: toColumns({ ...values, updatedAt: at }) });
  }
  if (deletedAddressId !== undefined) add("deleted_addresses", { id: deletedAddressId });
}

function addEvent(add: AddRow, commit: Commit): void {
  const { returned, key, journal, outbox = [], effects = [], timers = [] } = commit;
  if (returned?.whole || returned?.row) add("returned", { ...returned });
  if (key) add("keys", { ...toRecord(key), request_hash: byteaText(key.requestHash) });
  if (journal) add("journal", toRecord(journal));
  for (const row of outbox) add("outbox", toRecord(row));
  for (const row of effects) add("effects", toRecord(row));
  for (const row of timers) add("timers", toRecord(row));
}
