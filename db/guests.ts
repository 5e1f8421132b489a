/** Rows of the guests: persons without an account who have made GDPR requests. */
import type { Sql, Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

/** Key of a guest. The ID belongs to no customer. */
export interface GuestKey {
  storeId: string;
  customerId: string;
}

export interface GuestRow extends GuestKey {
  /** Null once nothing needs the contact data. */
  sealedContact: Uint8Array | null;
  keyId: string | null;
  anonymizedAt: Date | null;
}

const columns = (sql: ReadSql) => sql`store_id, customer_id, sealed_contact, key_id, anonymized_at`;

/** Locks a guest until the transaction ends. */
export async function lockGuest(tx: Tx, { storeId, customerId }: GuestKey): Promise<GuestRow | undefined> {
  const [row] = await tx<GuestRow[]>`
    select ${columns(tx)} from guests where store_id = ${storeId} and customer_id = ${customerId} for update`;
  return row;
}

export async function findGuest(
  sql: ReadSql,
  { storeId, customerId }: GuestKey,
): Promise<GuestRow | undefined> {
  const [row] = await sql<GuestRow[]>`
    select ${columns(sql)} from guests where store_id = ${storeId} and customer_id = ${customerId}`;
  return row;
}

/**
 * Returns the ID of the guest whose email has one of the hashes, and whose contact data are still needed. Until the
 * transaction ends, no other one searches for the same hashes.
 */
export async function findGuestByHash(
  tx: Tx,
  storeId: string,
  hashes: readonly Uint8Array[],
): Promise<string | undefined> {
  const digits = hashes.map((hash) => hash.toHex()).toSorted();
  for (const hash of digits) {
    await tx`select pg_advisory_xact_lock(hashtextextended(${`${storeId} ${hash}`}, 0))`;
  }
  const [row] = await tx<{ customerId: string }[]>`
    select g.customer_id from guests g
    join email_hashes h on h.store_id = g.store_id and h.customer_id = g.customer_id
    where g.store_id = ${storeId} and g.sealed_contact is not null and h.hash in (
      select decode(digits, 'hex') from unnest(${digits}::text[]) as digits)
    limit 1`;
  return row?.customerId;
}

export async function insertGuest(
  tx: Tx,
  { storeId, customerId }: GuestKey,
  { keyId, bytes }: { keyId: string; bytes: Uint8Array },
  createdAt: Date,
): Promise<void> {
  await tx`
    insert into guests ${tx([{ storeId, customerId, sealedContact: bytes, keyId, createdAt }])}`;
}

/** Destroys the contact data by an erasure. */
export async function anonymizeGuest(tx: Tx, { storeId, customerId }: GuestKey, at: Date): Promise<void> {
  await tx`
    update guests set sealed_contact = null, key_id = null, anonymized_at = ${at}
    where store_id = ${storeId} and customer_id = ${customerId}`;
}

/**
 * Destroys the contact data of up to a thousand guests whom no open request and no unsettled notice needs, of every store.
 * Returns their number.
 *
 * @param sql of the role customer_worker
 */
export async function destroyUnneededContacts(sql: Sql | Tx): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select destroy_unneeded_contacts() as count`;
  return row?.count ?? 0;
}
