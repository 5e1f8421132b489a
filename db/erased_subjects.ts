/** Rows of the erasure memory: the erased customers of each store, with the hashes of their emails. */
import type { Sql, Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

export interface ErasedSubject {
  storeId: string;
  customerId: string;
  /** HMAC-SHA-256 of every email that the customer has had, as far as known; at least one. */
  emailHashes: readonly Uint8Array[];
  erasedAt: Date;
}

/**
 * Adds the subjects and their hashes to the memory. A later erasure of a known subject moves its date; no hash is
 * removed. All are of the transaction's store, each once. Returns the IDs of those that were missing.
 */
export async function rememberSubjects(tx: Tx, subjects: readonly ErasedSubject[]): Promise<Set<string>> {
  if (subjects.length === 0) return new Set();
  const rows = await tx<{ customerId: string; added: boolean }[]>`
    insert into erased_subjects ${
    tx(subjects.map(({ storeId, customerId, erasedAt }) => ({ storeId, customerId, erasedAt })))
  }
    on conflict (store_id, customer_id) do update set erased_at = excluded.erased_at
      where erased_subjects.erased_at < excluded.erased_at
    returning customer_id, xmax = 0 as added`;
  const hashes = subjects.flatMap(({ storeId, customerId, emailHashes }) =>
    emailHashes.map((hash) => ({ storeId, customerId, hash }))
  );
  await tx`insert into email_hashes ${tx(hashes)} on conflict (store_id, customer_id, hash) do nothing`;
  return new Set(rows.filter((row) => row.added).map((row) => row.customerId));
}

/** Time of the customer's last erasure; undefined if the memory does not contain it. */
export async function findErasure(
  tx: Tx,
  storeId: string,
  customerId: string,
): Promise<Date | undefined> {
  const [row] = await tx<{ erasedAt: Date }[]>`
    select erased_at from erased_subjects where store_id = ${storeId} and customer_id = ${customerId}`;
  return row?.erasedAt;
}

/** Returns the IDs of those customers that the store's memory contains. */
export async function findErased(
  sql: ReadSql,
  storeId: string,
  customerIds: readonly string[],
): Promise<Set<string>> {
  const rows = await sql<{ customerId: string }[]>`
    select customer_id from erased_subjects
    where store_id = ${storeId} and customer_id = any(${customerIds as string[]}::uuid[])`;
  return new Set(rows.map(({ customerId }) => customerId));
}

/** Returns the number of subjects in the store's memory. */
export async function countErased(sql: ReadSql, storeId: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from erased_subjects where store_id = ${storeId}`;
  return row?.count ?? 0;
}

/**
 * Yields the subjects of every store from one snapshot, in batches.
 *
 * @param sql a pool of customer_owner: no other role sees the memory of more than one store
 */
export function listErasedSubjects(sql: Sql): AsyncIterable<ErasedSubject[]> {
  return sql<ErasedSubject[]>`
    select store_id, customer_id, erased_at,
      (select array_agg(hash order by hash) from email_hashes h
       where h.store_id = s.store_id and h.customer_id = s.customer_id) as email_hashes
    from erased_subjects s
    order by store_id, customer_id`.cursor(1_000);
}

/**
 * Returns those subjects that the memory lacks, or of which it lacks a hash.
 *
 * @param sql a pool of customer_worker
 */
export async function findMissing<Subject extends ErasedSubject>(
  sql: Sql,
  subjects: readonly Subject[],
): Promise<Subject[]> {
  const lookups = subjects.flatMap((subject) => subject.emailHashes.map((hash) => ({ subject, hash })));
  if (lookups.length === 0) return [];
  const rows = await sql<{ position: number }[]>`
    select position from lookup_erased_hashes(
      ${lookups.map(({ subject }) => subject.storeId)}::uuid[],
      ${lookups.map(({ subject }) => subject.customerId)}::uuid[],
      ${lookups.map(({ hash }) => hash.toHex())}::text[])`;
  const erasedPositions = new Set(rows.map(({ position }) => position));
  return [
    ...new Set(lookups.filter((_, index) => !erasedPositions.has(index + 1)).map(({ subject }) => subject)),
  ];
}

/**
 * Returns the number of subjects in the memory of all stores.
 *
 * @param sql a pool of customer_worker
 */
export async function countErasures(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select lookup_erasure_count()::int as count`;
  return row?.count ?? 0;
}
