/** What every document of an export is made of. */
import type { CollectedRecord, ExportDescription, RequestKey } from "../../vocabulary.ts";

export interface Contents {
  request: RequestKey;
  description: ExportDescription;
  compiledAt: Date;
  /** In the order of the document. */
  sources: Source[];
}

export interface Source {
  service: string;
  /** Why it has not told everything; undefined where it has. */
  waiverReason: string | undefined;
  records: number;
  /** What its records are held for, each combination once. */
  processing: Processing[];
  /** There are more combinations than `processing` names; the records name them all. */
  furtherProcessing: boolean;
  /** Its records in the order in which they came, a bounded number of bytes at a time. */
  read(): AsyncIterable<CollectedRecord[]>;
}

/** Records that are held alike. */
export interface Processing
  extends Pick<CollectedRecord, "category" | "purpose" | "retention" | "recipients"> {
  records: number;
}

/** A document as it is being written, piece by piece. */
export type Text = AsyncIterable<string>;

/** How many combinations are told of a source at its head. */
const PROCESSINGS = 200;

/** Goes through a source once, for what a document says before its records. */
export async function survey(
  service: string,
  waiverReason: string | undefined,
  read: Source["read"],
): Promise<Source> {
  const found = new Map<string, Processing>();
  let records = 0;
  let furtherProcessing = false;
  for await (const batch of read()) {
    for (const { category, purpose, retention, recipients } of batch) {
      records++;
      const name = JSON.stringify([category, purpose, retention, recipients]);
      const known = found.get(name);
      if (known) known.records++;
      else if (found.size < PROCESSINGS) {
        found.set(name, { category, purpose, retention, recipients, records: 1 });
      } else furtherProcessing = true;
    }
  }
  return { service, waiverReason, records, processing: [...found.values()], furtherProcessing, read };
}

/** What a source has told, in words for a person. */
export function account({ service, records, waiverReason }: Source): string {
  if (waiverReason !== undefined) {
    const told = records === 0 ? "has told nothing" : `has told ${count(records)} and not more`;
    return `${service} ${told}. The store goes without its answer for this reason: ${waiverReason}`;
  }
  return records === 0
    ? `${service} holds nothing about you.`
    : `${service} holds ${count(records)} about you.`;
}

export function count(records: number): string {
  return records === 1 ? "1 record" : `${records} records`;
}
