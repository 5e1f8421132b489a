/** Erasure memory file: a line of JSON for each subject. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { ErasedSubject } from "../db/erased_subjects.ts";
import { type Entry, type EntryProof, Proof, Subject } from "./erasure_log.ts";

const Line = z.object({
  store_id: z.string(),
  customer_id: z.string(),
  email_hashes: z.array(z.string()),
  erased_at: z.iso.datetime({ offset: true }),
}).transform((line) => ({
  storeId: line.store_id,
  customerId: line.customer_id,
  emailHashes: line.email_hashes,
  erasedAt: new Date(line.erased_at),
})).pipe(Subject);

/** Entries per batch. */
const BATCH_SIZE = 500;

export function writeLine(
  { storeId, customerId, emailHashes, erasedAt }: ErasedSubject,
  { keyId, proof }: EntryProof,
): string {
  return JSON.stringify({
    store_id: storeId,
    customer_id: customerId,
    email_hashes: emailHashes.map((hash) => new Uint8Array(hash).toHex()),
    erased_at: erasedAt.toISOString(),
    key_id: keyId,
    proof,
  });
}

/** Reads a file in batches. Empty lines are skipped. */
export async function* readMemoryFile(path: string): AsyncGenerator<Entry[]> {
  let entries: Entry[] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number++;
    if (line.trim() === "") continue;
    entries.push({ place: `line ${number}`, ...readLine(line) });
    if (entries.length < BATCH_SIZE) continue;
    yield entries;
    entries = [];
  }
  if (entries.length > 0) yield entries;
}

function readLine(line: string): Pick<Entry, "subject" | "proof"> {
  try {
    const json = JSON.parse(line);
    const proof = Proof.safeParse({ keyId: json?.key_id, proof: json?.proof }).data;
    return { subject: Line.safeParse(json).data, proof };
  } catch {
    return { subject: undefined, proof: undefined };
  }
}
