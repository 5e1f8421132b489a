/** What is asked about GDPR requests by edges: nothing personal. Questions of one tick become one statement. */
import { batched, type Wanted } from "./_batches.ts";
import type { Sql } from "./connect.ts";
import type { GdprRequestRow, ParticipantRow } from "./gdpr_requests.ts";
import type { CustomerKey } from "./lookups.ts";

/** A request as its subject may see it. */
export interface SubjectRequest extends
  Pick<
    GdprRequestRow,
    "requestId" | "type" | "status" | "outcome" | "createdAt" | "completedAt" | "dueAt" | "version"
  > {
  /** Whether documents can be fetched. */
  exported: boolean;
  /** By name; empty until the work begins. */
  participants: Pick<ParticipantRow, "service" | "state">[];
}

/** Where a request stands with one service. */
export interface Participation extends Pick<GdprRequestRow, "type" | "status" | "outcome"> {
  /** Null: the service has not been asked. */
  participant: ParticipantRow["state"] | null;
}

/** All ids are UUIDs in lower case; what is not `wanted` any more is not asked. */
export interface RequestLookups {
  /** A customer's newest fifty requests, newest first; none for a customer that the store does not have. */
  findRequests(key: CustomerKey, wanted?: Wanted): Promise<SubjectRequest[]>;
  /** Undefined: the customer has no such request, whoever else may have it. */
  findRequest(
    key: CustomerKey & { requestId: string },
    wanted?: Wanted,
  ): Promise<SubjectRequest | undefined>;
  /** Undefined: the store has no such request. */
  findParticipation(key: ParticipationKey, wanted?: Wanted): Promise<Participation | undefined>;
}

export interface ParticipationKey {
  storeId: string;
  requestId: string;
  service: string;
}

/** @param sql a pool of the role customer_reader */
export function createRequestLookups(sql: Sql): RequestLookups {
  const findAll = batched(
    "lookup_gdpr_requests",
    (questions: readonly RequestQuestion[]) => selectRequests(sql, questions),
  );
  return {
    findRequests: findAll,
    findRequest: async (key, wanted) => (await findAll(key, wanted))[0],
    findParticipation: batched(
      "lookup_gdpr_participants",
      (keys: readonly ParticipationKey[]) => selectParticipations(sql, keys),
    ),
  };
}

type RequestQuestion = CustomerKey & { requestId?: string };

type RequestRow = Omit<SubjectRequest, "participants"> & {
  position: number;
  participants: SubjectRequest["participants"] | null;
};

async function selectRequests(sql: Sql, questions: readonly RequestQuestion[]) {
  const rows = await sql<RequestRow[]>`
    select * from lookup_gdpr_requests(
      ${questions.map(({ storeId }) => storeId)}::uuid[],
      ${questions.map(({ customerId }) => customerId)}::uuid[],
      ${questions.map(({ requestId }) => requestId ?? null)}::uuid[])`;
  const answers = questions.map((): SubjectRequest[] => []);
  for (const { position, participants, ...request } of rows) {
    answers[position - 1]?.push({ ...request, participants: participants ?? [] });
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
