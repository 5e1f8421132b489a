/** Rows of the erasure receipts, a chain for each store. Rows are inserted and never changed. */
import type { Sql, Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

/** Stored receipt; actors/gdpr/receipts/receipt.ts documents its fields. */
export interface ErasureReceiptRow {
  storeId: string;
  /** 1, 2, 3 … within the store. */
  sequence: number;
  requestId: string;
  document: object;
  /** Null for the store's first receipt. */
  previousHash: Uint8Array | null;
  hash: Uint8Array;
  signature: Uint8Array;
  keyId: string;
  publicKey: Uint8Array;
}

/** First of the two numbers of a chain's advisory lock: "rcpt" in ASCII. */
const CHAIN_LOCKS = 0x72637074;

/** Locks the end of the store's chain until the transaction ends, and returns it. */
export async function lockChain(
  tx: Tx,
  storeId: string,
): Promise<Pick<ErasureReceiptRow, "sequence" | "hash"> | undefined> {
  await tx`select pg_advisory_xact_lock(${CHAIN_LOCKS}::int, hashtext(${storeId}))`;
  // A separate statement: it has to see what the previous holder of the lock committed.
  const [last] = await tx<Pick<ErasureReceiptRow, "sequence" | "hash">[]>`
    select sequence, hash from erasure_receipts where store_id = ${storeId} order by sequence desc limit 1`;
  return last;
}

/** Inserts a receipt, in the transaction that has locked the chain. */
export async function insertReceipt(tx: Tx, row: ErasureReceiptRow): Promise<void> {
  await tx`insert into erasure_receipts ${tx({ ...row, document: tx.json(row.document as never) })}`;
}

export async function findReceipt(
  tx: ReadSql,
  storeId: string,
  requestId: string,
): Promise<ErasureReceiptRow | undefined> {
  const [row] = await tx<ErasureReceiptRow[]>`
    select store_id, sequence, request_id, document, previous_hash, hash, signature, key_id, public_key
    from erasure_receipts where store_id = ${storeId} and request_id = ${requestId}`;
  return row;
}

/** Last receipt of a store. */
export type ChainHead = Pick<ErasureReceiptRow, "storeId" | "sequence" | "hash">;

/**
 * Returns the last receipt of every store.
 *
 * @param sql a pool of customer_owner: no other role sees the receipts of more than one store
 */
export async function findHeads(sql: Sql): Promise<ChainHead[]> {
  return await sql<ChainHead[]>`
    select distinct on (store_id) store_id, sequence, hash from erasure_receipts order by store_id, sequence desc`;
}
