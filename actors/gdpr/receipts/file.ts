/** File format of a receipt: its schema, its signed bytes and its parser. */
import canonicalize from "canonicalize";
import { z } from "zod";
import { findDuplicateKey } from "../../../lib/duplicate_keys.ts";
import { sha256 } from "../../../lib/hash.ts";
import { printable } from "../../../lib/printable.ts";
import { TextDigestSchema } from "./text_digest.ts";

/** Signed contents of a receipt. */
export interface SignedReceipt {
  /** ReceiptFacts as JSON, with `format`, `because` and `issuedAt`. */
  document: Record<string, unknown>;
  /** 1, 2, 3 … within the store. */
  sequence: number;
  /** SHA-256 of the store's previous receipt, in hexadecimal; null for the first one. */
  previousHash: string | null;
  keyId: string;
  /** Ed25519, 32 bytes in base64. */
  publicKey: string;
}

/** A receipt with its hash and signature. */
export interface ReceiptFile extends SignedReceipt {
  /** SHA-256, in hexadecimal. */
  hash: string;
  /** Ed25519, in base64. */
  signature: string;
}

export const FORMAT = "customer-service/erasure-receipt@1";

/** Canonical JSON (RFC 8785) of the signed contents in UTF-8: independent of the file's layout. */
export function signedBytes(
  { document, sequence, previousHash, keyId, publicKey }: SignedReceipt,
): Uint8Array<ArrayBuffer> {
  const text = canonicalize({ document, sequence, previousHash, keyId, publicKey });
  return new TextEncoder().encode(text);
}

/** Requesters of an erasure, and the sentence about each. RESTORE: the service itself, for a subject erased before.
 * RETENTION: the service itself, at the end of the retention period. */
export const BECAUSE = {
  SUBJECT: "The data subject requested it.",
  STAFF: "Staff of the store requested it on the data subject's behalf.",
  SERVICE: "A service requested it on the data subject's behalf.",
  RESTORE: "The data subject had been erased before, and a restored database had brought the data back.",
  RETENTION: "The retention period of the closed account had ended.",
} as const;

type Requester = keyof typeof BECAUSE;
const REQUESTERS = Object.keys(BECAUSE) as [Requester, ...Requester[]];

const RequestedBy = z.strictObject({
  kind: z.enum(REQUESTERS),
  /** Name of the service, for SERVICE. */
  service: z.string().optional(),
});
export type RequestedBy = z.output<typeof RequestedBy>;

const publicKey = z.string().regex(/^[A-Za-z0-9+/]{43}=$/);
const signature = z.string().regex(/^[A-Za-z0-9+/]{86}==$/);

const ConfirmationSignatureSchema = z.strictObject({
  /** The participant's key at the time of the confirmation: Ed25519, 32 bytes in base64. */
  publicKey,
  /** Of the bytes that confirmation.ts describes: Ed25519, in base64. */
  signature,
});

/** A participant's signature in a receipt. */
export type ConfirmationSignature = z.output<typeof ConfirmationSignatureSchema>;

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime();

const Document = z.looseObject({
  format: z.literal(FORMAT),
  storeId: z.guid(),
  requestId: z.guid(),
  customerId: z.guid(),
  because: z.enum(Object.values(BECAUSE)),
  requestedBy: RequestedBy,
  requestedAt: time,
  erasedAt: time,
  completedAt: time,
  outcome: z.enum(["FULFILLED", "FULFILLED_WITH_WAIVERS"]),
  confirmedBy: z.guid().nullable(),
  cleared: z.record(z.string(), z.record(z.string(), z.number())),
  columns: z.record(z.string(), z.array(z.string())),
  participants: z.array(z.object({
    service: z.string(),
    state: z.enum(["CONFIRMED", "WAIVED"]),
    settledAt: time,
    evidence: TextDigestSchema.nullable(),
    signature: ConfirmationSignatureSchema.nullable(),
    waiverReason: TextDigestSchema.nullable(),
    waiverProposedBy: z.guid().nullable(),
    waiverConfirmedBy: z.guid().nullable(),
  })),
  rescan: z.object({ tables: z.array(z.string()), residue: z.number() }),
  reasons: z.strictObject({ extension: TextDigestSchema.optional(), hold: TextDigestSchema.optional() })
    .optional(),
});

/** Strict, as an unknown field would not be signed. */
export const ReceiptFileSchema = z.strictObject({
  document: z.record(z.string(), z.unknown()),
  sequence: z.int().positive(),
  previousHash: hex.nullable(),
  keyId: z.string(),
  publicKey,
  hash: hex,
  signature,
});

/** A parsed receipt. */
export interface ParsedReceipt {
  file: ReceiptFile;
  document: z.output<typeof Document>;
  /** Computed, not taken from the file; in hexadecimal. */
  hash: string;
}

/** Parses a receipt. Returns the reason as a sentence if the text is not one. */
export function readReceipt(text: string): ParsedReceipt | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "Not a receipt: the file is not JSON.";
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) {
    return `Not a receipt: ${
      printable(duplicate)
    } appears twice in an object, so readers may see different values.`;
  }
  const file = ReceiptFileSchema.safeParse(json);
  if (!file.success) return `Not a receipt: ${fields(file.error)} is missing, unknown or invalid.`;
  const document = Document.safeParse(file.data.document);
  if (!document.success) {
    return `Not a receipt of a known version: document.${fields(document.error)} is missing or invalid.`;
  }
  try {
    const hash = sha256(signedBytes(file.data)).toHex();
    return { file: file.data, document: document.data, hash };
  } catch {
    return "Not a receipt: the text is not well-formed Unicode.";
  }
}

function fields(error: z.ZodError): string {
  const issue = error.issues[0];
  const names = issue?.code === "unrecognized_keys" ? issue.keys.join(", ") : issue?.path.join(".");
  return printable((names ?? "").slice(0, 100)) || "a field";
}
