/**
 * Signed heads of receipt chains. A head states the last receipt of a store at a time. Heads that are kept elsewhere
 * prove later that the chain was neither cut off nor written again.
 */
import canonicalize from "canonicalize";
import { z } from "zod";
import type { ChainHead } from "../../../db/erasure_receipts.ts";
import { findDuplicateKey } from "../../../lib/duplicate_keys.ts";
import type { ParsedReceipt } from "./file.ts";
import type { Signer } from "./receipt.ts";

const FORMAT = "customer-service/receipt-head@1";

const Head = z.strictObject({
  format: z.literal(FORMAT),
  storeId: z.guid(),
  /** Number of the store's last receipt. */
  sequence: z.int().positive(),
  /** SHA-256 of that receipt, in hexadecimal. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  issuedAt: z.iso.datetime(),
  keyId: z.string().regex(/^[\w-]{1,64}$/),
  /** Ed25519 of the canonical JSON (RFC 8785) of the other fields, in base64. */
  signature: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
});
export type SignedHead = z.output<typeof Head>;

export async function signHead(
  signer: Pick<Signer, "id" | "private">,
  { storeId, sequence, hash }: ChainHead,
  at: Date,
): Promise<SignedHead> {
  const head = {
    format: FORMAT,
    storeId,
    sequence,
    hash: new Uint8Array(hash).toHex(),
    issuedAt: at.toISOString(),
    keyId: signer.id,
  } as const;
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", signer.private, bytesOf(head)));
  return { ...head, signature: signature.toBase64() };
}

/** Parses a line of JSON; undefined if it is not a head. */
export function readHead(line: string): SignedHead | undefined {
  try {
    const head = Head.safeParse(JSON.parse(line)).data;
    return head && findDuplicateKey(line) === undefined ? head : undefined;
  } catch {
    return undefined;
  }
}

/** Whether one of the keys has signed the head. */
export async function isHeadSigned(
  { signature, ...head }: SignedHead,
  keys: readonly Uint8Array<ArrayBuffer>[],
): Promise<boolean> {
  const verified = await Promise.all(keys.map(async (raw) => {
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, Uint8Array.fromBase64(signature), bytesOf(head));
  }));
  return verified.includes(true);
}

/**
 * Compares the receipts of a store with a head.
 *
 * @returns a sentence about a difference; undefined if the receipts contain what the head states
 */
export function findDifference(head: SignedHead, receipts: readonly ParsedReceipt[]): string | undefined {
  const mine = receipts.filter(({ document }) => document.storeId === head.storeId);
  const last = Math.max(0, ...mine.map(({ file }) => file.sequence));
  if (last < head.sequence) {
    return `On ${head.issuedAt} the chain ended with receipt ${head.sequence}; the files end with ${last}.`;
  }
  const same = mine.filter(({ file }) => file.sequence === head.sequence);
  if (same.length === 0) {
    return `Receipt ${head.sequence}, the last one on ${head.issuedAt}, is missing from the files.`;
  }
  if (same.every(({ hash }) => hash === head.hash)) return undefined;
  return `Receipt ${head.sequence} differs from the one on ${head.issuedAt}.`;
}

function bytesOf(head: Omit<SignedHead, "signature">): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(canonicalize(head));
}
