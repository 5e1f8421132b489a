/** Rows of the guests: persons without an account who have made GDPR requests. */
import type { Tx } from "./connect.ts";
import { personsWith } from "./email_hashes.ts";
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
 * Locks and returns the guest whose email has one of the hashes, and who was not erased. Until the transaction ends, no
 * other one searches for the same hashes.
 */
export async function findGuestByHash(
  tx: Tx,
  storeId: string,
  hashes: readonly Uint8Array[],
): Promise<GuestRow | undefined> {
  for (const hash of hashes.map((hash) => hash.toHex()).toSorted()) {
    await tx`select pg_advisory_xact_lock(hashtextextended(${`${storeId} ${hash}`}, 0))`;
  }
  const [row] = await tx<GuestRow[]>`
    select ${columns(tx)} from guests
    where store_id = ${storeId} and anonymized_at is null and customer_id in (${
    personsWith(tx, storeId, hashes)
  })
    order by created_at limit 1 for update`;
  return row;
}

/** Returns the IDs of the guests with contact data whose email has one of the hashes. */
export async function findGuestsByHash(
  tx: Tx,
  storeId: string,
  hashes: readonly Uint8Array[],
): Promise<string[]> {
  const rows = await tx<{ customerId: string }[]>`
    select customer_id from guests
    where store_id = ${storeId} and sealed_contact is not null and customer_id in (${
    personsWith(tx, storeId, hashes)
  })
    order by customer_id`;
  return rows.map(({ customerId }) => customerId);
}

/** Seals the contact data again of a guest whose data were destroyed. */
export async function resealContact(
  tx: Tx,
  { storeId, customerId }: GuestKey,
  { keyId, bytes }: { keyId: string; bytes: Uint8Array },
): Promise<void> {
  await tx`
    update guests set sealed_contact = ${bytes}, key_id = ${keyId}
    where store_id = ${storeId} and customer_id = ${customerId}`;
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
 * Destroys the contact data of guests, of every store, whom no open request needs, no documents that can be handed over and
 * no notice that is unsettled or was undeliverable until a month ago. Returns the number of guests.
 *
 * @param tx of the role customer_worker
 */
export async function destroyUnneededContacts(tx: Tx, limit: number): Promise<number> {
  const [row] = await tx<{ destroyed: number }[]>`select destroy_unneeded_contacts(${limit}) as destroyed`;
  return row?.destroyed ?? 0;
}
