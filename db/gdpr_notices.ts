/** Rows of the notices to customers about GDPR requests. */
import type { NoticeDelivery, NoticeKind, NoticeWaiver } from "../domain/notices.ts";
import type { Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

export interface NoticeRow {
  storeId: string;
  noticeId: string;
  requestId: string;
  customerId: string;
  kind: NoticeKind;
  delivery: NoticeDelivery;
  createdAt: Date;
  dueAt: Date;
  /** Number of times that the notice was published as due. */
  attempts: number;
  settledAt: Date | null;
  waiver: NoticeWaiver | null;
  waivedBy: string | null;
  /** The sealed recipient after an erasure, until the notice is settled, and the ID of the key. */
  sealedRecipient: Uint8Array | null;
  keyId: string | null;
  /** name@version */
  machine: string;
  snapshot: unknown;
  version: number;
}

/** Notice as staff see it. */
export type NoticeOfRequest = Pick<
  NoticeRow,
  | "noticeId"
  | "requestId"
  | "kind"
  | "delivery"
  | "createdAt"
  | "dueAt"
  | "attempts"
  | "settledAt"
  | "waiver"
  | "waivedBy"
>;

const columns = (sql: ReadSql) =>
  sql`store_id, notice_id, request_id, customer_id, kind, delivery, created_at, due_at, attempts, settled_at, waiver,
    waived_by, sealed_recipient, key_id, machine, snapshot, version`;

export async function lockNotice(tx: Tx, storeId: string, noticeId: string): Promise<NoticeRow | undefined> {
  const [row] = await tx<NoticeRow[]>`
    select ${columns(tx)} from gdpr_notices
    where store_id = ${storeId} and notice_id = ${noticeId} for update`;
  return row;
}

export async function findNotice(
  sql: ReadSql,
  storeId: string,
  noticeId: string,
): Promise<NoticeRow | undefined> {
  const [row] = await sql<NoticeRow[]>`
    select ${columns(sql)} from gdpr_notices where store_id = ${storeId} and notice_id = ${noticeId}`;
  return row;
}

/** Returns the notices of requests, oldest first. */
export async function findNotices(
  sql: ReadSql,
  storeId: string,
  requestIds: readonly string[],
): Promise<NoticeOfRequest[]> {
  return await sql<NoticeOfRequest[]>`
    select notice_id, request_id, kind, delivery, created_at, due_at, attempts, settled_at, waiver, waived_by
    from gdpr_notices where store_id = ${storeId} and request_id = any(${[...requestIds]}::uuid[])
    order by created_at, notice_id`;
}

/** Returns the IDs of the customer's notices that are not settled. */
export async function findUnsettledNotices(tx: Tx, storeId: string, customerId: string): Promise<string[]> {
  const rows = await tx<{ noticeId: string }[]>`
    select notice_id from gdpr_notices
    where store_id = ${storeId} and customer_id = ${customerId} and delivery in ('WAITING', 'DUE')
    order by notice_id for update`;
  return rows.map(({ noticeId }) => noticeId);
}

/** Returns the IDs of the notices of a request that wait for its end. */
export async function findWaitingNotices(tx: Tx, storeId: string, requestId: string): Promise<string[]> {
  const rows = await tx<{ noticeId: string }[]>`
    select notice_id from gdpr_notices
    where store_id = ${storeId} and request_id = ${requestId} and delivery = 'WAITING' order by notice_id`;
  return rows.map(({ noticeId }) => noticeId);
}

/** Returns a notice to the customer with a sealed recipient; undefined without one. */
export async function findSealedNotice(
  tx: Tx,
  storeId: string,
  customerId: string,
): Promise<NoticeRow | undefined> {
  const [row] = await tx<NoticeRow[]>`
    select ${columns(tx)} from gdpr_notices
    where store_id = ${storeId} and customer_id = ${customerId} and delivery in ('WAITING', 'DUE')
      and sealed_recipient is not null
    order by created_at desc limit 1`;
  return row;
}

export async function storeSealedRecipient(
  tx: Tx,
  { storeId, noticeId }: { storeId: string; noticeId: string },
  { keyId, bytes }: { keyId: string; bytes: Uint8Array },
): Promise<void> {
  await tx`
    update gdpr_notices set sealed_recipient = ${bytes}, key_id = ${keyId}
    where store_id = ${storeId} and notice_id = ${noticeId} and delivery in ('WAITING', 'DUE')`;
}

/** @param values in camelCase */
export async function insertNotice(tx: Tx, values: Record<string, unknown>): Promise<void> {
  await tx`insert into gdpr_notices ${tx({ ...values, snapshot: tx.json(values.snapshot as never) })}`;
}

/** @param values in camelCase */
export async function updateNotice(
  tx: Tx,
  { storeId, noticeId }: { storeId: string; noticeId: string },
  values: Record<string, unknown>,
): Promise<void> {
  await tx`
    update gdpr_notices set ${tx({ ...values, snapshot: tx.json(values.snapshot as never) })}
    where store_id = ${storeId} and notice_id = ${noticeId}`;
}
