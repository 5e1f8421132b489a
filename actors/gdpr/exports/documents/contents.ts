/** Contents of an export, from which every document is written. */
import type { CollectedRecord, ExportDescription, RequestKey } from "../../types.ts";

export interface Contents {
  request: RequestKey;
  description: ExportDescription;
  compiledAt: Date;
  /** In the order of the document. */
  sections: ParticipantSection[];
}

/** Section of one participant. */
export interface ParticipantSection {
  service: string;
  /** Reason of the waiver if the participant was waived before it delivered everything. */
  waiverReason: string | undefined;
  records: number;
  /** Distinct combinations of category, purpose, retention and recipients, with the number of records of each. */
  processing: Processing[];
  /** `processing` has reached its limit; the records contain further combinations. */
  furtherProcessing: boolean;
  /** Reads the records in the order of delivery, one chunk at a time. */
  read(): AsyncIterable<CollectedRecord[]>;
}

/** Category, purpose, retention and recipients of `records` records. */
export interface Processing
  extends Pick<CollectedRecord, "category" | "purpose" | "retention" | "recipients"> {
  records: number;
}

/** Stream of a document's text. */
export type Text = AsyncIterable<string>;

/** Maximum number of combinations in `processing`. */
const PROCESSING_LIMIT = 200;

/** Summarizes a participant's records by reading them once; documents read them again. */
export async function summarize(
  service: string,
  waiverReason: string | undefined,
  read: ParticipantSection["read"],
): Promise<ParticipantSection> {
  const combinations = new Map<string, Processing>();
  let records = 0;
  let furtherProcessing = false;
  for await (const batch of read()) {
    for (const { category, purpose, retention, recipients } of batch) {
      records++;
      const key = JSON.stringify([category, purpose, retention, recipients]);
      const known = combinations.get(key);
      if (known) known.records++;
      else if (combinations.size < PROCESSING_LIMIT) {
        combinations.set(key, { category, purpose, retention, recipients, records: 1 });
      } else furtherProcessing = true;
    }
  }
  return { service, waiverReason, records, processing: [...combinations.values()], furtherProcessing, read };
}

/** Summary of a participant's records, as a sentence for the customer. */
export function summaryOf({ service, records, waiverReason }: ParticipantSection): string {
  if (waiverReason !== undefined) {
    const delivered = records === 0 ? "no records" : `only ${count(records)}`;
    return `${service} has provided ${delivered}. The store completed the request without the rest: ${waiverReason}`;
  }
  return records === 0
    ? `${service} holds nothing about you.`
    : `${service} holds ${count(records)} about you.`;
}

export function count(records: number): string {
  return records === 1 ? "1 record" : `${records} records`;
}
