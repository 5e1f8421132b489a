/** Actors with the facts that their commands need: read together, in one round trip for the commands of a tick. */
import { batched, type Wanted } from "./_batches.ts";
import { fromColumns } from "./_columns.ts";
import { answersByStore } from "./_stores.ts";
import type { Sql, Tx } from "./connect.ts";
import type { StoredAnswer } from "./idempotency_keys.ts";
import type { Customer } from "./lookups.ts";
import type { ShopperGroup } from "./shopper_groups.ts";

/** An actor, and what to read in addition to its row. */
export interface ActorQuestion {
  storeId: string;
  kind: string;
  id: string;
  /** Whether the caller wants the actor as it is shown. */
  whole?: boolean;
  /** An address of the customer. */
  addressId?: string;
  /** A group, and whether the customer is a member. */
  groupId?: string;
  /** The IDs of the customer's groups. */
  allGroups?: boolean;
  /** Hashes of an email that the erasure memory may have. It is asked for the actor's ID as well. */
  emailHashes?: readonly Uint8Array[];
  /** A stored answer, by the hash of its idempotency key. */
  key?: { principalId: string; key: string };
  /** Time at which the key is valid; absent: PostgreSQL's. */
  now?: Date;
}

/** Values of a row by their names in camelCase. Dates are texts. */
export type RowFacts = Record<string, unknown>;

/** Actors as they are shown, by their kind. */
export interface WholeActors {
  customer: Customer;
  shopper_group: ShopperGroup;
}

export type WholeActor = WholeActors[keyof WholeActors];

/** Facts as of one moment. An absent one was not asked for, or does not exist. */
export interface ActorFacts {
  /** PostgreSQL's time, later than every commit that the facts include. */
  readAt: Date;
  /** Row of a customer, with the numbers of its `addresses` and `groups`, or of a shopper group. */
  row: RowFacts | undefined;
  whole: WholeActor | undefined;
  address: RowFacts | undefined;
  /** Whether the group exists and is not deleted. */
  isOpenGroup: boolean;
  isMember: boolean;
  /** In the order in which the customer has joined them. */
  groupIds: readonly string[];
  idErasedAt: Date | undefined;
  emailErasedAt: Date | undefined;
  stored: StoredAnswer | undefined;
}

/** Reads an actor; a question that is no longer `wanted` is skipped. */
export type ReadActor = (question: ActorQuestion, wanted?: Wanted) => Promise<ActorFacts>;

/** Limits of the statements of commands: a call holds the locks of its commits until it ends. */
export const COMMAND_LIMITS = { underWay: 4, maxQuestions: 100, answerLimitMs: 12_000 };

/** @param sql a pool of the role customer_api */
export function createActorReads(sql: Sql): ReadActor {
  const ask = answersByStore((questions: readonly ActorQuestion[], storeId) =>
    readActors(sql, storeId, questions)
  );
  return batched("read_actors", ask, sql, COMMAND_LIMITS);
}

/** Reads one actor within a transaction, which sees what it has written and what it has locked. */
export async function readActor(tx: Tx, question: ActorQuestion): Promise<ActorFacts> {
  const [facts] = await readActors(tx, question.storeId, [question]);
  return facts!;
}

interface FactsRow {
  position: number;
  readAt: Date;
  /** Facts that no question of the call asks for may be absent. */
  facts: {
    row: object | null;
    whole?: object | null;
    address?: object | null;
    is_open_group?: boolean | null;
    is_member?: boolean | null;
    group_ids?: string[] | null;
    id_erased_at?: string | null;
    email_erased_at?: string | null;
    stored?: StoredRow | null;
  };
}

async function readActors(
  sql: Sql | Tx,
  storeId: string,
  questions: readonly ActorQuestion[],
): Promise<ActorFacts[]> {
  const rows = await sql<FactsRow[]>`
    select * from read_actors(${storeId}::uuid, ${sql.json(questions.map(questionRow) as never)},
      ${questions.some(needsMore)})`;
  const answers = new Array<ActorFacts>(questions.length);
  for (const { position, readAt, facts } of rows) {
    answers[position - 1] = {
      readAt,
      row: facts.row ? fromColumns(facts.row) : undefined,
      whole: facts.whole ? wholeActor(facts.whole) : undefined,
      address: facts.address ? fromColumns(facts.address) : undefined,
      isOpenGroup: facts.is_open_group === true,
      isMember: facts.is_member === true,
      groupIds: facts.group_ids ?? [],
      idErasedAt: dateOf(facts.id_erased_at),
      emailErasedAt: dateOf(facts.email_erased_at),
      stored: facts.stored ? storedAnswer(facts.stored) : undefined,
    };
  }
  return answers;
}

/** Facts of a row alone. */
export function rowFacts(row: object, readAt: Date): ActorFacts {
  return {
    readAt,
    row: fromColumns(row),
    whole: undefined,
    address: undefined,
    isOpenGroup: false,
    isMember: false,
    groupIds: [],
    idErasedAt: undefined,
    emailErasedAt: undefined,
    stored: undefined,
  };
}

/** Whether the facts of the row alone answer the question. */
export function needsRowAlone({ addressId, groupId, allGroups, emailHashes }: ActorQuestion): boolean {
  return addressId === undefined && groupId === undefined && !allGroups && emailHashes === undefined;
}

function needsMore(question: ActorQuestion): boolean {
  return !needsRowAlone(question) || question.whole === true || question.key !== undefined;
}

function questionRow(question: ActorQuestion, index: number) {
  const { kind, id, whole, addressId, groupId, allGroups, emailHashes, key, now } = question;
  return {
    n: index + 1,
    kind,
    id,
    ...(whole && { whole }),
    ...(addressId !== undefined && { address_id: addressId }),
    ...(groupId !== undefined && { group_id: groupId }),
    ...(allGroups && { all_groups: true }),
    ...(emailHashes && { hashes: emailHashes.map(byteaText) }),
    ...(key && { principal_id: key.principalId, key: key.key }),
    ...(now && { now }),
  };
}

/** Stored answer as JSON. */
export interface StoredRow {
  request_hash: string;
  principal_type: string | null;
  answer: unknown;
}

export function storedAnswer({ request_hash, principal_type, answer }: StoredRow): StoredAnswer {
  return { requestHash: Uint8Array.fromHex(request_hash), principalType: principal_type, answer };
}

/** Bytes as PostgreSQL reads them from a text. */
export function byteaText(bytes: Uint8Array): string {
  return `\\x${bytes.toHex()}`;
}

const DATES = ["createdAt", "updatedAt", "anonymizedAt", "deletedAt"];

/** Converts the result of the function whole_actor. */
export function wholeActor(json: object): WholeActor {
  const actor = fromColumns(json);
  for (const name of DATES) {
    if (typeof actor[name] === "string") actor[name] = new Date(actor[name]);
  }
  return actor as unknown as WholeActor;
}

function dateOf(text: string | null | undefined): Date | undefined {
  return text ? new Date(text) : undefined;
}
