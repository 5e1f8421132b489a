/** Rows of the GDPR requests and of their participants. */
import type { HoldGround } from "../domain/holds.ts";
import type { RefusalGround } from "../domain/notices.ts";
import type { Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";
import type { Cleared } from "./personal_data.ts";

export interface GdprRequestRow {
  requestId: string;
  /** ID of the subject: a customer or a guest. */
  customerId: string;
  /** Whether the subject is a guest, who has no account. */
  isGuest: boolean;
  type: "ACCESS" | "ERASURE" | "RECTIFICATION" | "PORTABILITY";
  status: "PENDING" | "IN_PROGRESS" | "COMPLETED";
  outcome:
    | "FULFILLED"
    | "FULFILLED_WITH_WAIVERS"
    | "NOT_FETCHED"
    | "CANCELLED"
    | "REFUSED"
    | "NOT_IDENTIFIED"
    | null;
  /** When it was entered. */
  createdAt: Date;
  /** When it reached the store; the time limit counts from it. */
  receivedAt: Date;
  channel: "ACCOUNT" | "EMAIL" | "LETTER" | "PHONE" | "IN_PERSON" | "FORM" | "OTHER";
  completedAt: Date | null;
  dueAt: Date;
  requestedBy: string;
  /** name@version */
  machine: string;
  snapshot: unknown;
  version: number;
  /** Values that an erasure has emptied here. */
  cleared: ClearedData | null;
  holdReason: string | null;
  holdGround: HoldGround | null;
  extensionReason: string | null;
  refusalReason: string | null;
  refusalGround: RefusalGround | null;
  cancellationReason: string | null;
  /** Principal that confirmed an erasure proposed by staff: a second staff member, or the customer. */
  confirmedBy: string | null;
  confirmedAt: Date | null;
  /** When the identity of the person was checked; null until then. */
  identifiedAt: Date | null;
  /** Who checked it: a staff member, a service, or the customer by the sign-in. */
  identifiedBy: string | null;
  identityMethod:
    | "SIGNED_IN"
    | "EMAIL_REPLY"
    | "PHONE_CALLBACK"
    | "QUESTIONS"
    | "ID_DOCUMENT"
    | "ELECTRONIC_ID"
    | "IN_PERSON"
    | null;
  identityReference: string | null;
  identityFailures: number;
  /** When information was requested that has not been received; the time limit is paused since then. */
  informationRequestedAt: Date | null;
  informationReason: string | null;
  representativeGround: "AUTHORIZATION" | "PARENTAL_RESPONSIBILITY" | "GUARDIANSHIP" | "INHERITANCE" | null;
  representativeName: string | null;
  representativeReference: string | null;
  /** Until when the subject can cancel an erasure; null if that is not known, and for every other request. */
  cancellableUntil: Date | null;
  /** Time at which the customer first fetched the data of an export completely. */
  fetchedAt: Date | null;
  /** End of an erasure's wait for the customer's download; null unless it waits. */
  fetchWaitEndsAt: Date | null;
}

export interface ClearedData {
  erasedAt: string;
  tables: Cleared;
  /** Digests of the subject's values, by which the re-scan finds texts that quote one; empty once it has found none. */
  traces: ValueDigest[];
  /** Salted hashes of the reasons of the erasure, by their names in the receipt; absent without any. */
  reasons?: Record<string, { salt: string; sha256: string }>;
}

/** Digest of a value, and its number of words. */
export interface ValueDigest {
  words: number;
  /** Salted SHA-256, in hexadecimal digits. */
  digest: string;
}

export type ParticipantState = "ASKED" | "RETRYING" | "OVERDUE" | "RECEIVED" | "CONFIRMED" | "WAIVED";

export interface ParticipantRow {
  service: string;
  state: ParticipantState;
  attempts: number;
  nextAttemptAt: Date | null;
  lastError: string | null;
  evidence: string | null;
  /** Ed25519 signature of the confirmation, 64 bytes, and the public key of 32 bytes that has verified it. */
  signature: Uint8Array<ArrayBuffer> | null;
  signatureKey: Uint8Array<ArrayBuffer> | null;
  waiverReason: string | null;
  /** The staff member who proposed the waiver, or waived alone. */
  waiverProposedBy: string | null;
  waiverProposedAt: Date | null;
  /** The second person who confirmed the waiver. */
  waiverConfirmedBy: string | null;
  settledAt: Date | null;
}

const columns = (sql: ReadSql) =>
  sql`request_id, customer_id, is_guest, type, status, outcome, created_at, completed_at, due_at, requested_by, machine,
    snapshot, version, cleared, hold_reason, hold_ground, extension_reason, refusal_reason, refusal_ground, cancellation_reason,
    confirmed_by, confirmed_at, fetched_at, fetch_wait_ends_at, cancellable_until, received_at, channel,
    identified_at, identified_by, identity_method, identity_reference, identity_failures, information_requested_at,
    information_reason, representative_ground, representative_name, representative_reference`;

export async function lockRequest(
  tx: Tx,
  storeId: string,
  requestId: string,
): Promise<GdprRequestRow | undefined> {
  const [row] = await tx<GdprRequestRow[]>`
    select ${columns(tx)} from gdpr_requests
    where store_id = ${storeId} and request_id = ${requestId} for update`;
  return row;
}

export async function findRequest(
  tx: ReadSql,
  storeId: string,
  requestId: string,
): Promise<GdprRequestRow | undefined> {
  const [row] = await tx<GdprRequestRow[]>`
    select ${columns(tx)} from gdpr_requests where store_id = ${storeId} and request_id = ${requestId}`;
  return row;
}

/** Returns the customer's open requests of some types. The customer's lock keeps the result valid. */
export async function findOpenRequests(
  tx: ReadSql,
  storeId: string,
  customerId: string,
  types: readonly GdprRequestRow["type"][],
): Promise<GdprRequestRow[]> {
  return await tx<GdprRequestRow[]>`
    select ${columns(tx)} from gdpr_requests
    where store_id = ${storeId} and customer_id = ${customerId} and type = any(${types as string[]}) and status <> 'COMPLETED'`;
}

/** Whether the identity of the person was checked. Other requests must not delay any. */
export const isIdentified = ({ identifiedAt }: GdprRequestRow) => identifiedAt !== null;

/**
 * Returns the customer's completed requests with documents that can be downloaded, and that the customer has not
 * fetched. The customer's lock keeps others from completing.
 */
export async function findUnfetched(
  tx: Tx,
  storeId: string,
  customerId: string,
): Promise<GdprRequestRow[]> {
  return await tx<GdprRequestRow[]>`
    select ${columns(tx)} from gdpr_requests
    where store_id = ${storeId} and customer_id = ${customerId} and status = 'COMPLETED'
      and snapshot -> 'value' ->> 'COMPLETED' = 'available'`;
}

/** @param values in camelCase */
export async function insertRequest(tx: Tx, values: Record<string, unknown>): Promise<void> {
  await tx`insert into gdpr_requests ${tx({ ...values, snapshot: tx.json(values.snapshot as never) })}`;
}

/** @param values in camelCase */
export async function updateRequest(
  tx: Tx,
  storeId: string,
  requestId: string,
  values: Record<string, unknown>,
): Promise<void> {
  await tx`
    update gdpr_requests set ${tx({ ...values, snapshot: tx.json(values.snapshot as never) })}
    where store_id = ${storeId} and request_id = ${requestId}`;
}

/** Returns the participants, ordered by name. */
export async function findParticipants(
  tx: ReadSql,
  storeId: string,
  requestId: string,
): Promise<ParticipantRow[]> {
  return await tx<ParticipantRow[]>`
    select service, state, attempts, next_attempt_at, last_error, evidence, signature, signature_key, waiver_reason,
      waiver_proposed_by, waiver_proposed_at, waiver_confirmed_by, settled_at
    from gdpr_participants where store_id = ${storeId} and request_id = ${requestId} order by service`;
}

/** @param values in camelCase; absent ones stay unchanged */
export async function upsertParticipant(
  tx: Tx,
  key: { storeId: string; requestId: string; service: string },
  values: Partial<Omit<ParticipantRow, "service">> & { state: ParticipantState },
): Promise<void> {
  await tx`
    insert into gdpr_participants ${tx({ ...key, ...values } as never)}
    on conflict (store_id, request_id, service) do update set ${tx(values as never)}`;
}

/** @param values in camelCase; absent ones stay unchanged */
export async function updateParticipant(
  tx: Tx,
  { storeId, requestId, service }: { storeId: string; requestId: string; service: string },
  values: Partial<Omit<ParticipantRow, "service">>,
): Promise<void> {
  await tx`
    update gdpr_participants set ${tx(values as never)}
    where store_id = ${storeId} and request_id = ${requestId} and service = ${service}`;
}

/** Stores with the request what its erasure has emptied. */
export async function storeCleared(
  tx: Tx,
  storeId: string,
  requestId: string,
  cleared: ClearedData,
): Promise<void> {
  await tx`
    update gdpr_requests set cleared = ${tx.json(cleared as never)}
    where store_id = ${storeId} and request_id = ${requestId}`;
}

/** Stores the final counts of what an erasure has emptied. */
export async function storeClearedTables(
  tx: Tx,
  storeId: string,
  requestId: string,
  tables: Cleared,
): Promise<void> {
  await tx`
    update gdpr_requests set cleared = jsonb_set(cleared, '{tables}', ${tx.json(tables as never)})
    where store_id = ${storeId} and request_id = ${requestId}`;
}

/** Deletes the digests of the subject's values. */
export async function forgetTraces(tx: Tx, storeId: string, requestId: string): Promise<void> {
  await tx`
    update gdpr_requests set cleared = jsonb_set(cleared, '{traces}', '[]')
    where store_id = ${storeId} and request_id = ${requestId}`;
}

/** Returns the number of export parts that are stored about a customer. */
export async function countExportParts(tx: ReadSql, storeId: string, customerId: string): Promise<number> {
  const [row] = await tx<{ count: number }[]>`
    select count(*)::int as count from gdpr_export_parts p
    join gdpr_requests r on r.store_id = p.store_id and r.request_id = p.request_id
    where r.store_id = ${storeId} and r.customer_id = ${customerId}`;
  return row?.count ?? 0;
}
