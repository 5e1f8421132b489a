/**
 * Receipt of an erasure: the facts of the erasure, signed and chained to the store's previous receipt. Everything in
 * a receipt's file is signed, except the hash and the signature themselves.
 */
import type { Tx } from "../../../db/connect.ts";
import { findReceipt, insertReceipt, lockChain } from "../../../db/erasure_receipts.ts";
import type { Cleared } from "../../../db/personal_data.ts";
import type { StoreReader } from "../../../db/store_reader.ts";
import type { TextDigest } from "./text_digest.ts";
import {
  BECAUSE,
  type ConfirmationSignature,
  FORMAT,
  type ReceiptFile,
  type RequestedBy,
  signedBytes,
  type SignedReceipt,
} from "./file.ts";
import type { Cause } from "../machines/events.ts";
import type { RequestKey } from "../types.ts";
import { sha256 } from "../../../lib/hash.ts";

/** Facts of a completed erasure. */
export interface ReceiptFacts extends RequestKey {
  customerId: string;
  cause: Cause;
  requestedBy: RequestedBy;
  outcome: "FULFILLED" | "FULFILLED_WITH_WAIVERS";
  /** ID of the second person who confirmed an erasure that staff had proposed, or of the customer. */
  confirmedBy: string | null;
  requestedAt: Date;
  /** Time when this service erased the personal data: the point of no return. */
  erasedAt: Date;
  completedAt: Date;
  /** Number of cleared values by table and category of the personal-data map. */
  cleared: Cleared;
  /** Columns that the erasure empties, by table. */
  columns: Readonly<Record<string, readonly string[]>>;
  participants: {
    service: string;
    state: "CONFIRMED" | "WAIVED";
    settledAt: Date;
    /** Salted hash of the statement that the service sent with its confirmation. */
    evidence: TextDigest | null;
    /** The service's own signature of its confirmation; null if it has signed nothing. */
    signature: ConfirmationSignature | null;
    waiverReason: TextDigest | null;
    /** ID of the staff member who proposed the waiver, or waived alone. */
    waiverProposedBy: string | null;
    /** ID of the second person who confirmed the waiver. */
    waiverConfirmedBy: string | null;
  }[];
  /** Tables that were searched after the erasure, and the number of personal values found. */
  rescan: { tables: string[]; residue: number };
  /** Salted hashes of the reasons of an extension and of a hold. */
  reasons?: { extension?: TextDigest; hold?: TextDigest };
}

/** Ed25519 key pair that signs receipts, as config/keys.ts reads it. */
export interface Signer {
  /** The public key's JWK thumbprint. */
  id: string;
  private: CryptoKey;
  /** Extractable. */
  public: CryptoKey;
}

/**
 * Adds a receipt to the store's chain. Locks the chain until the transaction ends, so call it late in the
 * transaction.
 */
export async function writeReceipt(tx: Tx, signer: Signer, facts: ReceiptFacts, at: Date): Promise<void> {
  const { storeId, requestId } = facts;
  const last = await lockChain(tx, storeId);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", signer.public));
  const signed = {
    document: JSON.parse(
      JSON.stringify({ format: FORMAT, because: BECAUSE[facts.requestedBy.kind], ...facts, issuedAt: at }),
    ),
    sequence: (last?.sequence ?? 0) + 1,
    previousHash: last ? new Uint8Array(last.hash).toHex() : null,
    keyId: signer.id,
    publicKey: publicKey.toBase64(),
  } satisfies SignedReceipt;
  const bytes = signedBytes(signed);
  await insertReceipt(tx, {
    storeId,
    requestId,
    document: signed.document,
    sequence: signed.sequence,
    previousHash: last?.hash ?? null,
    hash: sha256(bytes),
    signature: new Uint8Array(await crypto.subtle.sign("Ed25519", signer.private, bytes)),
    keyId: signer.id,
    publicKey,
  });
}

/** Reads the receipt of a request as a file; undefined if the request has none. */
export async function exportReceipt(
  reader: StoreReader,
  { storeId, requestId }: RequestKey,
): Promise<ReceiptFile | undefined> {
  const row = await reader.read(storeId, (sql) => findReceipt(sql, storeId, requestId));
  return row && {
    document: row.document as SignedReceipt["document"],
    sequence: row.sequence,
    previousHash: row.previousHash && new Uint8Array(row.previousHash).toHex(),
    keyId: row.keyId,
    publicKey: new Uint8Array(row.publicKey).toBase64(),
    hash: new Uint8Array(row.hash).toHex(),
    signature: new Uint8Array(row.signature).toBase64(),
  };
}
