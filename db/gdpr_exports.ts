/**
 * Rows of the parts of exports and their encrypted chunks. Every function stays within the transaction's
 * store.
 */
import { lastOfBatch } from "./_expiry.ts";
import { type Instant, instant } from "./clock.ts";
import type { Sql, Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

/** Key of a request within its store. */
export interface ExportKey {
  storeId: string;
  requestId: string;
}

export interface PartRow {
  part: string;
  mediaType: string;
  records: number;
  /** Of the uncompressed document. */
  bytes: number;
  sha256: Uint8Array | null;
  resumeAfter: string | null;
  complete: boolean;
  uses: number;
  expiresAt: Date;
}

/** A finished document. */
export interface DocumentRow extends PartRow {
  /** Whether it can no longer be downloaded. */
  expired: boolean;
}

/** Prefix of the parts that hold what a participant delivered, until the documents are made of them. */
export function participantPart(service: string): string {
  return `source/${service}`;
}

const PARTICIPANT_PARTS = "source/%";

const ofRequest = (tx: ReadSql, { storeId, requestId }: ExportKey) =>
  tx`store_id = ${storeId} and request_id = ${requestId}`;

/**
 * Locks the request against its end and against other writers of its parts, until the transaction ends.
 * Returns undefined if it has already ended, so that nothing may be stored for it.
 */
export async function lockOpenExport(
  tx: Tx,
  key: ExportKey,
  now: Instant = instant(tx),
): Promise<{ dueAt: Date; now: Date } | undefined> {
  const [row] = await tx<{ status: string; dueAt: Date; now: Date }[]>`
    select status, due_at, ${now}::timestamptz as now
    from gdpr_requests where ${ofRequest(tx, key)} for no key update`;
  return row && row.status !== "COMPLETED" ? { dueAt: row.dueAt, now: row.now } : undefined;
}

/** Whether staff have decided to complete the request without a participant. The request's lock keeps the answer valid. */
export async function isWaived(tx: Tx, key: ExportKey, service: string): Promise<boolean> {
  const rows = await tx`
    select 1 from gdpr_participants where ${
    ofRequest(tx, key)
  } and service = ${service} and state = 'WAIVED'`;
  return rows.length > 0;
}

export async function findPart(tx: ReadSql, key: ExportKey, part: string): Promise<PartRow | undefined> {
  const [row] = await tx<PartRow[]>`
    select ${columns(tx)} from gdpr_export_parts where ${ofRequest(tx, key)} and part = ${part}`;
  return row;
}

/** Returns the finished documents, the expired ones included. */
export async function findDocuments(
  tx: ReadSql,
  key: ExportKey,
  now: Instant = instant(tx),
): Promise<DocumentRow[]> {
  return await tx<DocumentRow[]>`
    select ${columns(tx)}, expires_at <= ${now} as expired
    from gdpr_export_parts where ${
    ofRequest(tx, key)
  } and complete and part not like ${PARTICIPANT_PARTS} order by part`;
}

const columns = (tx: ReadSql) =>
  tx`part, media_type, records, bytes::float8, sha256, resume_after, complete, uses, expires_at`;

export async function insertPart(
  tx: Tx,
  { storeId, requestId }: ExportKey,
  { part, mediaType, expiresAt }: { part: string; mediaType: string; expiresAt: Instant },
): Promise<void> {
  await tx`
    insert into gdpr_export_parts ${tx({ storeId, requestId, part, mediaType, expiresAt } as never)}
    on conflict do nothing`;
}

/** @param values in camelCase */
export async function updatePart(
  tx: Tx,
  key: ExportKey,
  part: string,
  values: Partial<Omit<PartRow, "part">>,
): Promise<void> {
  await tx`
    update gdpr_export_parts set ${tx({ ...values } as never)} where ${
    ofRequest(tx, key)
  } and part = ${part}`;
}

/** Keeps what the participants have delivered at least until a given time; a later expiry stays. */
export async function prolongParticipantParts(tx: Tx, key: ExportKey, expiresAt: Date): Promise<void> {
  await tx`
    update gdpr_export_parts set expires_at = ${expiresAt}
    where ${ofRequest(tx, key)} and part like ${PARTICIPANT_PARTS} and expires_at < ${expiresAt}`;
}

/** Deletes a part with its chunks, unless it is complete. Needs the request's lock. */
export async function deleteIncompletePart(tx: Tx, key: ExportKey, part: string): Promise<void> {
  await tx`delete from gdpr_export_parts where ${ofRequest(tx, key)} and part = ${part} and not complete`;
}

export async function countChunks(tx: Tx, key: ExportKey, part: string): Promise<number> {
  const [row] = await tx<[{ count: number }]>`
    select coalesce(max(chunk) + 1, 0) as count from gdpr_exports where ${
    ofRequest(tx, key)
  } and part = ${part}`;
  return row.count;
}

export async function insertChunk(
  tx: Tx,
  { storeId, requestId }: ExportKey,
  values: { part: string; chunk: number; bytes: Uint8Array },
): Promise<void> {
  await tx`insert into gdpr_exports ${tx({ storeId, requestId, ...values })}`;
}

/** One part of a request's export. */
export interface PartKey extends ExportKey {
  part: string;
}

export interface ChunkRow {
  chunk: number;
  bytes: Uint8Array;
  /** Highest number of a chunk in this part. */
  highest: boolean;
}

/** Yields the chunks from a number on, in batches. */
export async function findChunks(
  tx: ReadSql,
  { part, ...key }: PartKey,
  from: number,
  limit: number,
): Promise<ChunkRow[]> {
  return await tx<ChunkRow[]>`
    select chunk, bytes, chunk = (
        select max(chunk) from gdpr_exports where ${ofRequest(tx, key)} and part = ${part}) as highest
    from gdpr_exports where ${ofRequest(tx, key)} and part = ${part} and chunk >= ${from}
    order by chunk limit ${limit}`;
}

/**
 * Claims the request's documents for writing until `lease`, and deletes what an earlier writer left. `taken`:
 * another writer holds the claim. Needs the request's lock.
 */
export async function claimDocuments(
  tx: Tx,
  key: ExportKey,
  documents: readonly { part: string; mediaType: string }[],
  { now, lease }: { now: Instant; lease: Instant },
): Promise<"claimed" | "taken"> {
  const liveClaims = await tx`
    select 1 from gdpr_export_parts
    where ${ofRequest(tx, key)} and part not like ${PARTICIPANT_PARTS} and expires_at > ${now}`;
  if (liveClaims.length > 0) return "taken";
  await tx`delete from gdpr_export_parts where ${ofRequest(tx, key)} and part not like ${PARTICIPANT_PARTS}`;
  for (const document of documents) await insertPart(tx, key, { ...document, expiresAt: lease });
  return "claimed";
}

/**
 * Extends the claim and returns its new end. Returns undefined if the claim until `lease` is no longer held: nothing
 * may be written under it.
 */
export async function renewClaim(
  tx: Tx,
  key: ExportKey,
  lease: Date,
  renewed: Instant,
): Promise<Date | undefined> {
  const [row] = await tx<{ expiresAt: Date }[]>`
    update gdpr_export_parts set expires_at = ${renewed}
    where ${
    ofRequest(tx, key)
  } and part not like ${PARTICIPANT_PARTS} and not complete and expires_at = ${lease}
    returning expires_at`;
  return row?.expiresAt;
}

export async function dropClaim(tx: Tx, key: ExportKey, lease: Date): Promise<void> {
  await tx`
    delete from gdpr_export_parts
    where ${
    ofRequest(tx, key)
  } and part not like ${PARTICIPANT_PARTS} and not complete and expires_at = ${lease}`;
}

/** Marks the claimed documents complete, and deletes the deliveries that they were made of. */
export async function publishDocuments(
  tx: Tx,
  key: ExportKey,
  lease: Date,
  expiresAt: Instant,
): Promise<boolean> {
  const { count } = await tx`
    update gdpr_export_parts set complete = true, expires_at = ${expiresAt}
    where ${
    ofRequest(tx, key)
  } and part not like ${PARTICIPANT_PARTS} and not complete and expires_at = ${lease}`;
  if (count > 0) {
    await tx`delete from gdpr_export_parts where ${ofRequest(tx, key)} and part like ${PARTICIPANT_PARTS}`;
  }
  return count > 0;
}

/**
 * Counts a download by the link of this number. Returns false if the link was used, or the part is not
 * available.
 */
export async function countUse(
  tx: Tx,
  { part, ...key }: PartKey,
  generation: number,
  now: Instant,
): Promise<boolean> {
  const { count } = await tx`
    update gdpr_export_parts set uses = ${generation}
    where ${
    ofRequest(tx, key)
  } and part = ${part} and complete and uses < ${generation} and expires_at > ${now}`;
  return count > 0;
}

/** Deletes all export parts of a request, and returns their number. */
export async function destroyExports(tx: Tx, key: ExportKey): Promise<number> {
  // Writers of a part hold this lock, so none is added while the deletion runs.
  await tx`select 1 from gdpr_requests where ${ofRequest(tx, key)} for update`;
  const { count } = await tx`delete from gdpr_export_parts where ${ofRequest(tx, key)}`;
  return count;
}

/** Deletes all export parts of a customer's requests, and returns their number. */
export async function destroyExportsOfCustomer(tx: Tx, storeId: string, customerId: string): Promise<number> {
  const requests = await tx<{ requestId: string }[]>`
    select request_id from gdpr_requests where store_id = ${storeId} and customer_id = ${customerId}
    order by request_id for update`;
  let destroyed = 0;
  for (const { requestId } of requests) destroyed += await destroyExports(tx, { storeId, requestId });
  return destroyed;
}

/**
 * Deletes a batch of about `limit` expired parts with their chunks, of every store. Returns their number.
 *
 * @param sql of the role customer_worker, which sees the expiries of every store and nothing else
 */
export async function deleteExpiredExports(sql: Sql | Tx, now: Instant, limit: number): Promise<number> {
  const batch = { table: "gdpr_export_parts", column: "expires_at", isExpired: sql`expires_at <= ${now}` };
  const { count } = await sql`
    delete from gdpr_export_parts where expires_at <= ${lastOfBatch(sql, batch, limit)}`;
  return count;
}
