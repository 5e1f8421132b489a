/** The receipts of erasures, a chain for each store. Rows are added and never changed. */
import type { Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

/** A receipt as it is stored; what its fields mean stands in actors/gdpr/receipts/receipt.ts. */
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

/** The first of the two numbers of a chain's advisory lock: "rcpt" in ASCII. */
const CHAIN_LOCKS = 0x72637074;

/** Keeps the end of the store's chain to this transaction until it ends, and tells where it is. */
export async function lockChain(
  tx: Tx,
  storeId: string,
): Promise<Pick<ErasureReceiptRow, "sequence" | "hash"> | undefined> {
  await tx`select pg_advisory_xact_lock(${CHAIN_LOCKS}::int, hashtext(${storeId}))`;
  // A statement of its own: it has to see what the last holder committed.
  const [last] = await tx<Pick<ErasureReceiptRow, "sequence" | "hash">[]>`
    select sequence, hash from erasure_receipts where store_id = ${storeId} order by sequence desc limit 1`;
  return last;
}

/** In the transaction that has locked the chain. */
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
