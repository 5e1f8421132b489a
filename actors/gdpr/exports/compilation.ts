/** Compiles the documents of an export from the collected records. */
import { readClock } from "../../../db/clock.ts";
import { findPart, participantPart } from "../../../db/gdpr_exports.ts";
import { accessHtml } from "./documents/access_html.ts";
import { accessJson } from "./documents/access_json.ts";
import { type Contents, type ParticipantSection, summarize, type Text } from "./documents/contents.ts";
import {
  createPresentation,
  type Presentation,
  type PresentedRecord,
  presentOwn,
} from "./documents/presentation.ts";
import { type ManifestEntry, manifestJson } from "./documents/manifest.ts";
import { portability } from "./documents/portability.ts";
import { type Claim, type ExportContext, openClaim } from "./claim.ts";
import { readStore } from "../../../db/store_reader.ts";
import { readChunks } from "./chunks.ts";
import { type CollectedRecord, type ExportDescription, OWN_DATA, type RequestKey } from "../types.ts";

interface Document {
  part: string;
  mediaType: string;
  write: (contents: Contents) => Text;
}

const JSON_TYPE = "application/json";
const MANIFEST = { part: "manifest.json", mediaType: JSON_TYPE };

const DOCUMENTS: Record<ExportDescription["type"], readonly Document[]> = {
  ACCESS: [
    { part: "access.html", mediaType: "text/html; charset=utf-8", write: accessHtml },
    { part: "access.json", mediaType: JSON_TYPE, write: accessJson },
  ],
  PORTABILITY: [{ part: "portability.json", mediaType: JSON_TYPE, write: portability }],
};

/** @throws {DomainError} REFUSED_IN_STATE: the request has ended. UNAVAILABLE: another replica is compiling it */
export async function compileExport(
  context: ExportContext,
  key: RequestKey,
  description: ExportDescription,
  signal: AbortSignal,
): Promise<void> {
  const documents = DOCUMENTS[description.type];
  const claim = await openClaim(context, key, [...documents, MANIFEST], signal);
  if (!claim) return;
  try {
    const presentation = createPresentation(description);
    const contents: Contents = {
      request: key,
      description,
      compiledAt: await readClock(context.sql, context.clock),
      presentation,
      sections: await readSections(context, key, { ...description, presentation }, claim),
    };
    const parts: ManifestEntry[] = [];
    for (const { part, mediaType, write } of documents) {
      const { bytes, sha256 } = await claim.write(part, write(contents));
      parts.push({ name: part, mediaType, bytes, sha256: sha256.toHex() });
    }
    const { requestId } = key;
    await claim.write(MANIFEST.part, manifestJson({ requestId, compiledAt: contents.compiledAt, parts }));
    await claim.publish();
  } catch (error) {
    await claim.release().catch(() => {}); // otherwise it expires
    throw error;
  }
}

async function readSections(
  { sql, cipher }: ExportContext,
  key: RequestKey,
  { type, sources, presentation }: ExportDescription & { presentation: Presentation },
  claim: Claim,
): Promise<ParticipantSection[]> {
  const sections: ParticipantSection[] = [];
  for (const { service, waiverReason } of sources) {
    const part = participantPart(service);
    const row = await readStore(sql, key.storeId, (tx) => findPart(tx, key, part));
    const complete = row?.complete ?? false;
    if (!complete && waiverReason === undefined) {
      throw new Error(`Cannot compile ${key.requestId}: ${service} has not delivered everything`);
    }
    const isOwn = service === OWN_DATA;
    const present = (record: CollectedRecord): PresentedRecord => {
      if (!isOwn) return record;
      const { legalBasis, ...presented } = presentOwn(record, presentation);
      return type === "ACCESS" && legalBasis !== undefined ? { ...presented, legalBasis } : presented;
    };
    const read = async function* (): AsyncGenerator<PresentedRecord[]> {
      for await (const chunk of readChunks(sql, cipher, { ...key, part }, !complete)) {
        await claim.renew();
        if (chunk.byteLength > 0) yield parse(chunk).map(present);
      }
    };
    const section = await summarize({ service, isOwn, complete, waiverReason }, read);
    if (section.records !== (row?.records ?? 0)) {
      throw new Error(`Cannot compile ${key.requestId}: records of ${service} are missing`);
    }
    sections.push(section);
  }
  return sections;
}

function parse(lines: Uint8Array): CollectedRecord[] {
  const text = new TextDecoder().decode(lines);
  return text.trimEnd().split("\n").map((line) => {
    const record: CollectedRecord = JSON.parse(line);
    return { ...record, recordedAt: record.recordedAt }; // JSON omits undefined
  });
}
