/** Rows of the keyed hashes of emails that customers have had. */
import type { Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

/** Hashes of one email with one key, as actors/gdpr/requests/email_hash.ts computes them. */
export interface EmailHash {
  /** HMAC-SHA-256 with the key of the erasure memory. */
  hash: Uint8Array;
  /** HMAC-SHA-256 with the key that participants have. Null if a replay has added the row. */
  participantHash: Uint8Array | null;
  /** ID of the key; null if a replay has added the row. */
  keyId: string | null;
}

/** Key of a customer's rows. */
export interface EmailHashKey {
  storeId: string;
  customerId: string;
}

/** Inserts the hashes that the customer does not have yet. */
export async function insertEmailHashes(
  tx: Tx,
  { storeId, customerId }: EmailHashKey,
  hashes: readonly EmailHash[],
): Promise<void> {
  await tx`
    insert into email_hashes ${tx(hashes.map((hash) => ({ storeId, customerId, ...hash })))}
    on conflict (store_id, customer_id, hash) do nothing`;
}

/** Selects the IDs of the persons who have or had an email with one of the hashes, as a subquery. */
export function personsWith(sql: ReadSql, storeId: string, hashes: readonly Uint8Array[]) {
  return sql`
    select h.customer_id from email_hashes h
    where h.store_id = ${storeId} and h.hash in (
      select decode(digits, 'hex') from unnest(${hashes.map((hash) => hash.toHex())}::text[]) as digits)`;
}

/** Returns the hashes of a customer, in a stable order. */
export async function findEmailHashes(
  tx: ReadSql,
  { storeId, customerId }: EmailHashKey,
): Promise<EmailHash[]> {
  const rows = await tx<EmailHash[]>`
    select hash, participant_hash, key_id from email_hashes
    where store_id = ${storeId} and customer_id = ${customerId} order by hash`;
  return rows.map(({ hash, participantHash, keyId }) => ({
    hash: new Uint8Array(hash),
    participantHash: participantHash && new Uint8Array(participantHash),
    keyId,
  }));
}
