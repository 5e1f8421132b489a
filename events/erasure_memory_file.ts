/** Erasure memory file: a line of JSON for each subject. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { ErasedSubject } from "../db/erased_subjects.ts";
import { type Entry, Subject } from "./erasure_log.ts";

const Line = z.object({
  store_id: z.string(),
  customer_id: z.string(),
  email_hash: z.string(),
  erased_at: z.iso.datetime({ offset: true }),
}).transform((line) => ({
  storeId: line.store_id,
  customerId: line.customer_id,
  emailHash: line.email_hash,
  erasedAt: new Date(line.erased_at),
})).pipe(Subject);

/** Entries per batch. */
const BATCH_SIZE = 500;

export function writeLine({ storeId, customerId, emailHash, erasedAt }: ErasedSubject): string {
  return JSON.stringify({
    store_id: storeId,
    customer_id: customerId,
    email_hash: new Uint8Array(emailHash).toHex(),
    erased_at: erasedAt.toISOString(),
  });
}

/** Reads a file in batches. Empty lines are skipped. */
export async function* readMemoryFile(path: string): AsyncGenerator<Entry[]> {
  let entries: Entry[] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number++;
    if (line.trim() === "") continue;
    entries.push({ place: `line ${number}`, subject: readLine(line) });
    if (entries.length < BATCH_SIZE) continue;
    yield entries;
    entries = [];
  }
  if (entries.length > 0) yield entries;
}

function readLine(line: string): ErasedSubject | undefined {
  try {
    return Line.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
