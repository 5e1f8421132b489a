/** A receipt as a file: its form, what of it is signed, and how it is read again. */
import canonicalize from "canonicalize";
import { z } from "zod";
import { sha256 } from "../../../lib/hash.ts";

/** What is hashed and signed. */
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

/** A receipt as it is handed out. */
export interface ReceiptFile extends SignedReceipt {
  /** SHA-256, in hexadecimal. */
  hash: string;
  /** Ed25519, in base64. */
  signature: string;
}

export const FORMAT = "customer-service/erasure-receipt@1";

/** The canonical JSON (RFC 8785) of what is signed, in UTF-8: the same however a file is laid out. */
export function signedBytes(
  { document, sequence, previousHash, keyId, publicKey }: SignedReceipt,
): Uint8Array<ArrayBuffer> {
  const text = canonicalize({ document, sequence, previousHash, keyId, publicKey });
  return new TextEncoder().encode(text);
}

/** Who asked for an erasure, and the sentence about it. RESTORE: the service itself, for a subject erased before. */
export const BECAUSE = {
  SUBJECT: "The data subject asked for it.",
  STAFF: "Staff of the store asked for it on the data subject's behalf.",
  SERVICE: "A service asked for it on the data subject's behalf.",
  RESTORE: "The data subject had been erased before, and a restored database had brought the data back.",
} as const;

type Requester = keyof typeof BECAUSE;
const REQUESTERS = Object.keys(BECAUSE) as [Requester, ...Requester[]];

const RequestedBy = z.strictObject({
  kind: z.enum(REQUESTERS),
  /** Name of the service, for SERVICE. */
  service: z.string().optional(),
});
export type RequestedBy = z.output<typeof RequestedBy>;

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
  cleared: z.record(z.string(), z.record(z.string(), z.number())),
  participants: z.array(z.object({
    service: z.string(),
    state: z.enum(["CONFIRMED", "WAIVED"]),
    settledAt: time,
    waiverReason: z.string().nullable(),
  })),
  rescan: z.object({ tables: z.array(z.string()), residue: z.number() }),
});

/** Strict: a field that is not signed could say anything. */
export const ReceiptFileSchema = z.strictObject({
  document: z.record(z.string(), z.unknown()),
  sequence: z.int().positive(),
  previousHash: hex.nullable(),
  keyId: z.string(),
  publicKey: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
  hash: hex,
  signature: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
});

/** A receipt that could be read. */
export interface ReadReceipt {
  file: ReceiptFile;
  document: z.output<typeof Document>;
  /** Computed, not taken from the file; in hexadecimal. */
  hash: string;
}

/** The receipt that a text is, or why it is none. */
export function readReceipt(text: string): ReadReceipt | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "It is no receipt: it is not JSON.";
  }
  const file = ReceiptFileSchema.safeParse(json);
  if (!file.success) return `It is no receipt: ${fields(file.error)} is missing, unknown or not of its form.`;
  const document = Document.safeParse(file.data.document);
  if (!document.success) {
    return `It is no receipt of this version: document.${
      fields(document.error)
    } is missing or not of its form.`;
  }
  try {
    const hash = sha256(signedBytes(file.data)).toHex();
    return { file: file.data, document: document.data, hash };
  } catch {
    return "It is no receipt: its text is not well-formed Unicode.";
  }
}

function fields(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue?.code === "unrecognized_keys" ? issue.keys.join(", ") : issue?.path.join(".") || "a field";
}
