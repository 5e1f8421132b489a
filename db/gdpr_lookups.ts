/** Lookups of GDPR requests for edges, without personal values. Lookups of one tick share one statement. */
import { lookupsOf, type Wanted } from "./_batches.ts";
import type { Sql } from "./connect.ts";
import type { RefusalGround } from "../domain/notices.ts";
import type { NoticeRow } from "./gdpr_notices.ts";
import type { GdprRequestRow, ParticipantRow } from "./gdpr_requests.ts";
import type { CustomerKey } from "./lookups.ts";

/** Request as its subject may see it. */
export interface SubjectRequest extends
  Pick<
    GdprRequestRow,
    | "requestId"
    | "type"
    | "status"
    | "outcome"
    | "createdAt"
    | "receivedAt"
    | "completedAt"
    | "dueAt"
    | "version"
    | "fetchedAt"
    | "fetchWaitEndsAt"
    | "cancellableUntil"
    | "informationRequestedAt"
    | "informationReason"
  > {
  /** Whether the identity of the person was checked. */
  identified: boolean;
  /** Whether an erasure or another request is on hold before its processing begins. */
  held: boolean;
  /** Whether the store has extended the due date. */
  extended: boolean;
  /** Why the store has refused, canceled, holds or has extended the request; null otherwise and after an erasure. */
  reason: string | null;
  /** Whether documents can be downloaded. */
  exported: boolean;
  /** Participants by name; empty until the work begins. */
  participants: (Pick<ParticipantRow, "service" | "state"> & { waiverReason: string | null })[];
}

/** Information that the store gives its customer about a request. */
export interface SubjectInformation {
  /** PostgreSQL's time of the lookup. */
  readAt: Date;
  /** Legal ground of a refusal. */
  refusalGround: RefusalGround | null;
  /** Oldest first. */
  notices: Pick<NoticeRow, "kind" | "delivery" | "createdAt" | "dueAt" | "settledAt">[];
}

/** Progress of a request at one participant. */
export interface Participation extends Pick<GdprRequestRow, "type" | "status" | "outcome"> {
  /** Null: the request was not sent to the participant yet. */
  participant: ParticipantRow["state"] | null;
}

/** Lookups by ID. All IDs are UUIDs in lower case; a lookup that is no longer `wanted` is skipped. */
export interface RequestLookups {
  /** Returns a page of a customer's requests, newest first; empty for an unknown customer. */
  findRequests(key: CustomerKey & RequestPage, wanted?: Wanted): Promise<SubjectRequest[]>;
  /** Returns undefined if the customer has no such request, even if another customer has it. */
  findRequest(
    key: CustomerKey & { requestId: string },
    wanted?: Wanted,
  ): Promise<SubjectRequest | undefined>;
  /** Returns undefined if the customer has no such request. */
  findInformation(
    key: CustomerKey & { requestId: string },
    wanted?: Wanted,
  ): Promise<SubjectInformation | undefined>;
  /** Returns undefined if the store has no such request. */
  findParticipation(key: ParticipationKey, wanted?: Wanted): Promise<Participation | undefined>;
}

export interface RequestPage {
  /** Maximum number of requests. */
  limit: number;
  /** ID of the request after which the page starts. If the customer has no such request, the page is empty. */
  after?: string | undefined;
}

export interface ParticipationKey {
  storeId: string;
  requestId: string;
  service: string;
}

/**
 * @param sql a pool of the role customer_reader
 * @param distributed whether the tables are distributed by store: then a statement is about one store
 */
export function createRequestLookups(sql: Sql, distributed = false): RequestLookups {
  const lookup = lookupsOf(sql, distributed);
  const findAll = lookup(
    "lookup_gdpr_requests",
    (questions: readonly RequestQuestion[]) => selectRequests(sql, questions),
  );
  return {
    findRequests: findAll,
    findRequest: async (key, wanted) => (await findAll({ ...key, limit: 1 }, wanted))[0],
    findInformation: lookup(
      "lookup_gdpr_notices",
      (keys: readonly InformationKey[]) => selectInformation(sql, keys),
    ),
    findParticipation: lookup(
      "lookup_gdpr_participants",
      (keys: readonly ParticipationKey[]) => selectParticipations(sql, keys),
    ),
  };
}

type RequestQuestion = CustomerKey & RequestPage & { requestId?: string };

type InformationKey = CustomerKey & { requestId: string };

interface InformationRow {
  position: number;
  readAt: Date;
  refusalGround: RefusalGround | null;
  /** Times in ISO 8601. */
  notices: {
    kind: NoticeRow["kind"];
    delivery: NoticeRow["delivery"];
    createdAt: string;
    dueAt: string;
    settledAt: string | null;
  }[];
}

type RequestRow = Omit<SubjectRequest, "participants"> & {
  position: number;
  participants: SubjectRequest["participants"] | null;
};

async function selectRequests(sql: Sql, questions: readonly RequestQuestion[]) {
  const rows = await sql<RequestRow[]>`
    select * from lookup_gdpr_requests(
      ${questions.map(({ storeId }) => storeId)}::uuid[],
      ${questions.map(({ customerId }) => customerId)}::uuid[],
      ${questions.map(({ requestId }) => requestId ?? null)}::uuid[],
      ${questions.map(({ after }) => after ?? null)}::uuid[],
      ${questions.map(({ limit }) => limit)}::int[])`;
  const answers = questions.map((): SubjectRequest[] => []);
  for (const { position, participants, ...request } of rows) {
    answers[position - 1]?.push({ ...request, participants: participants ?? [] });
  }
  return answers;
}

async function selectInformation(sql: Sql, keys: readonly InformationKey[]) {
  const rows = await sql<InformationRow[]>`
    select * from lookup_gdpr_notices(
      ${keys.map(({ storeId }) => storeId)}::uuid[],
      ${keys.map(({ customerId }) => customerId)}::uuid[],
      ${keys.map(({ requestId }) => requestId)}::uuid[])`;
  const answers = new Array<SubjectInformation | undefined>(keys.length).fill(undefined);
  for (const { position, readAt, refusalGround, notices } of rows) {
    const dated = notices.map(({ createdAt, dueAt, settledAt, ...notice }) => ({
      ...notice,
      createdAt: new Date(createdAt),
      dueAt: new Date(dueAt),
      settledAt: settledAt === null ? null : new Date(settledAt),
    }));
    answers[position - 1] = { readAt, refusalGround, notices: dated };
  }
  return answers;
}

async function selectParticipations(sql: Sql, keys: readonly ParticipationKey[]) {
  const rows = await sql<(Participation & { position: number })[]>`
    select * from lookup_gdpr_participants(
      ${keys.map(({ storeId }) => storeId)}::uuid[],
      ${keys.map(({ requestId }) => requestId)}::uuid[],
      ${keys.map(({ service }) => service)}::text[])`;
  const answers = new Array<Participation | undefined>(keys.length).fill(undefined);
  for (const { position, ...found } of rows) answers[position - 1] = found;
  return answers;
}
