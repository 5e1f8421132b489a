/** Rows of the erasure memory: the erased customers of each store. */
import type { Sql, Tx } from "./connect.ts";

export interface ErasedSubject {
  storeId: string;
  customerId: string;
  /** HMAC-SHA-256 of the email, as actors/gdpr/requests/email_hash.ts makes it. */
  emailHash: Uint8Array;
  erasedAt: Date;
}

/**
 * Inserts the missing subjects, and moves the others to a later erasure. All are of the transaction's store,
 * each once. Returns the IDs of those that were missing.
 */
export async function rememberSubjects(tx: Tx, subjects: readonly ErasedSubject[]): Promise<Set<string>> {
  const rows = await tx<{ customerId: string; added: boolean }[]>`
    insert into erased_subjects ${
    tx(subjects.map(({ storeId, customerId, emailHash, erasedAt }) => ({
      storeId,
      customerId,
      emailHash,
      erasedAt,
    })))
  }
    on conflict (store_id, customer_id) do update
      set email_hash = excluded.email_hash, erased_at = excluded.erased_at
      where erased_subjects.erased_at < excluded.erased_at
    returning customer_id, xmax = 0 as added`;
  return new Set(rows.filter((row) => row.added).map((row) => row.customerId));
}

export async function findErasedSubject(
  tx: Tx,
  storeId: string,
  customerId: string,
): Promise<ErasedSubject | undefined> {
  const [row] = await tx<ErasedSubject[]>`
    select store_id, customer_id, email_hash, erased_at from erased_subjects
    where store_id = ${storeId} and customer_id = ${customerId}`;
  return row;
}

/** Returns when a customer with this email was last erased; undefined where the store has no such row. */
export async function findErasureOfEmail(
  tx: Tx,
  storeId: string,
  emailHash: Uint8Array,
): Promise<Date | undefined> {
  const [row] = await tx<{ erasedAt: Date | null }[]>`
    select max(erased_at) as erased_at from erased_subjects
    where store_id = ${storeId} and email_hash = ${emailHash}`;
  return row?.erasedAt ?? undefined;
}

/**
 * Yields the subjects of every store from one snapshot, in batches.
 *
 * @param sql a pool of customer_owner: no other role sees the memory of more than one store
 */
export function listErasedSubjects(sql: Sql): AsyncIterable<ErasedSubject[]> {
  return sql<ErasedSubject[]>`
    select store_id, customer_id, email_hash, erased_at from erased_subjects
    order by store_id, customer_id`.cursor(1_000);
}

/**
 * Returns the time of the newest erasure in the memory, of any store; undefined without one.
 *
 * @param sql a pool of customer_worker
 */
export async function findLastErasure(sql: Sql): Promise<Date | undefined> {
  const [row] = await sql<{ at: Date | null }[]>`select lookup_last_erasure() as at`;
  return row?.at ?? undefined;
}
