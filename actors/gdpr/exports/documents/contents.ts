/** Contents of an export, from which every document is written. */
import { counted, fill } from "../../texts/texts.ts";
import type { ExportDescription, RequestKey } from "../../types.ts";
import type { Presentation, PresentedRecord } from "./presentation.ts";

export interface Contents {
  request: RequestKey;
  description: ExportDescription;
  compiledAt: Date;
  presentation: Presentation;
  /** In the order of the document. */
  sections: ParticipantSection[];
}

/** Section of one participant. */
export interface ParticipantSection {
  service: string;
  /** Whether the records are those of this service, whose fields have words. */
  isOwn: boolean;
  /** Reason of the waiver if the participant was waived before it delivered everything. */
  waiverReason: string | undefined;
  records: number;
  /** Distinct combinations of category, purpose and so on, with the number of records of each. */
  processing: Processing[];
  /** `processing` has reached its limit; the records contain further combinations. */
  furtherProcessing: boolean;
  /** Reads the records in the order of delivery, one chunk at a time. */
  read(): AsyncIterable<PresentedRecord[]>;
}

/** Category, purpose, legal basis, retention and recipients of `records` records. */
export interface Processing
  extends Pick<PresentedRecord, "category" | "purpose" | "legalBasis" | "retention" | "recipients"> {
  records: number;
}

/** Stream of a document's text. */
export type Text = AsyncIterable<string>;

/** Maximum number of combinations in `processing`. */
const PROCESSING_LIMIT = 200;

/** Summarizes a participant's records by reading them once; documents read them again. */
export async function summarize(
  { service, isOwn, waiverReason, read }: Pick<
    ParticipantSection,
    "service" | "isOwn" | "waiverReason" | "read"
  >,
): Promise<ParticipantSection> {
  const combinations = new Map<string, Processing>();
  let records = 0;
  let furtherProcessing = false;
  for await (const batch of read()) {
    for (const { category, purpose, legalBasis, retention, recipients } of batch) {
      records++;
      const processing = {
        category,
        purpose,
        ...(legalBasis !== undefined && { legalBasis }),
        retention,
        recipients,
      };
      const key = JSON.stringify(processing);
      const known = combinations.get(key);
      if (known) known.records++;
      else if (combinations.size < PROCESSING_LIMIT) combinations.set(key, { ...processing, records: 1 });
      else furtherProcessing = true;
    }
  }
  const processing = [...combinations.values()];
  return { service, isOwn, waiverReason, records, processing, furtherProcessing, read };
}

/** Summary of a participant's records, as a sentence for the customer. */
export function summaryOf(
  { service, records, waiverReason: reason }: ParticipantSection,
  { texts: { access } }: Presentation,
): string {
  const values = { service, records: counted(access.records, records), reason: reason ?? "" };
  if (reason === undefined) return fill(records === 0 ? access.holdsNothing : access.holds, values);
  return fill(records === 0 ? access.waivedWithoutRecords : access.waived, values);
}
