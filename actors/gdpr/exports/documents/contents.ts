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
  /** Whether the participant has delivered everything. */
  complete: boolean;
  /** Reason of the waiver; undefined if the participant was not waived, and then it is complete. */
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
  source: Pick<ParticipantSection, "service" | "isOwn" | "complete" | "waiverReason">,
  read: ParticipantSection["read"],
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
  return { ...source, records, processing: [...combinations.values()], furtherProcessing, read };
}

/** Summary of a participant's records, as a sentence for the customer. */
export function summaryOf(
  { service, records, complete, waiverReason: reason = "" }: ParticipantSection,
  { texts: { access } }: Presentation,
): string {
  const values = { service, records: counted(access.records, records), reason };
  if (!complete) return fill(records === 0 ? access.waivedWithoutRecords : access.waived, values);
  const all = fill(records === 0 ? access.holdsNothing : access.holds, values);
  return reason === "" ? all : `${all} ${fill(access.completeDespiteWaiver, values)}`;
}
