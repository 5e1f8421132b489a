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
  /** Whether the participant has delivered everything. */
  complete: boolean;
  /** Reason of the waiver; undefined if the participant was not waived, and then it is complete. */
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
  source: Pick<ParticipantSection, "service" | "complete" | "waiverReason">,
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
  return { ...source, records, processing: [...combinations.values()], furtherProcessing, read };
}

/** Summary of a participant's records, as a sentence for the customer. */
export function summaryOf({ service, records, complete, waiverReason }: ParticipantSection): string {
  if (!complete) {
    const delivered = records === 0 ? "no records" : `only ${count(records)}`;
    return `${service} has provided ${delivered}. The store completed the request without the rest: ${waiverReason}`;
  }
  const all = records === 0
    ? `${service} holds nothing about you.`
    : `${service} holds ${count(records)} about you.`;
  if (waiverReason === undefined) return all;
  return `${all} Its answer is complete, although the store had decided not to wait for it: ${waiverReason}`;
}

export function count(records: number): string {
  return records === 1 ? "1 record" : `${records} records`;
}
